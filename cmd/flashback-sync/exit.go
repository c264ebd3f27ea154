package main

import (
	"context"
	"errors"
	"syscall"

	"github.com/flashback-sync/flashback-sync/config"
	"github.com/flashback-sync/flashback-sync/extract"
	"github.com/flashback-sync/flashback-sync/extract/api"
	"github.com/flashback-sync/flashback-sync/internal/audit"
	"github.com/flashback-sync/flashback-sync/internal/run"
	"github.com/flashback-sync/flashback-sync/internal/serve/schedule"
	"github.com/flashback-sync/flashback-sync/load"
	"github.com/flashback-sync/flashback-sync/load/duckdb"
)

// Exit codes. They are a contract with cron jobs and monitors.
const (
	codeOK           = 0
	codeOther        = 1
	codeUsage        = 2
	codePartial      = 3
	codeUnauthorized = 4
	codeSource       = 5
	codeStorage      = 6
	codeLocked       = 7
	codeDamaged      = 8
	codeDifference   = 9
)

// usageError is a mistake in arguments or configuration.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func usage(err error) error {
	if err == nil {
		return nil
	}
	return usageError{err}
}

// stopped is the cause of a context that a signal cancelled.
type stopped struct{ signal syscall.Signal }

func (s stopped) Error() string { return "stopped by " + schedule.SignalName(s.signal) }
func (s stopped) code() int     { return 128 + int(s.signal) }

// hinted adds what to do next.
type hinted struct {
	error
	hint string
}

func (e *hinted) Unwrap() error { return e.error }

// reported is the error to report: of a run that a signal stopped it is the signal, and
// not what failed because of it.
func reported(ctx context.Context, err error) error {
	var stop stopped
	if err != nil && errors.As(context.Cause(ctx), &stop) {
		return stop
	}
	return err
}

// exitCode is the code for the gravest failure within err.
func exitCode(ctx context.Context, err error) int {
	var stop stopped
	if errors.As(context.Cause(ctx), &stop) {
		return stop.code()
	}
	var (
		misuse   usageError
		problems config.Problems
		damaged  *duckdb.DamagedError
		storage  *duckdb.StorageError
	)
	switch {
	case errors.As(err, &misuse) || errors.As(err, &problems):
		return codeUsage
	case errors.As(err, &damaged):
		return codeDamaged
	case errors.Is(err, load.ErrLocked):
		return codeLocked
	case errors.As(err, &storage):
		return codeStorage
	case errors.Is(err, run.ErrIncomplete):
		return codePartial
	case errors.Is(err, audit.ErrDifference):
		return codeDifference
	}
	kind, known := api.KindOf(err)
	switch {
	case !known:
		return codeOther
	case kind == api.Unauthorized:
		return codeUnauthorized
	}
	return codeSource
}

// gravest is the stream failure that decides the exit code: a refused token
// before a source that does not answer, before rows that are missing.
func gravest(ctx context.Context, summary *run.Summary) error {
	var worst error
	rank := map[int]int{codePartial: 1, codeOther: 2, codeSource: 3, codeUnauthorized: 4, codeStorage: 5}
	for _, name := range summary.Names() {
		err := summary.Streams[name].Err
		if err != nil && (worst == nil || rank[exitCode(ctx, err)] > rank[exitCode(ctx, worst)]) {
			worst = err
		}
	}
	return worst
}

func hintFor(err error) string {
	var (
		hint    *hinted
		damaged *duckdb.DamagedError
		storage *duckdb.StorageError
	)
	if errors.As(err, &hint) {
		return hint.hint
	}
	if errors.As(err, &damaged) {
		if damaged.Newer {
			return "nothing is wrong with the file: run the release that wrote it, or a later one"
		}
		return "the file was left as it is; 'flashback-sync repair --rebuild' makes it again from the lake and fetches what is missing"
	}
	if errors.Is(err, load.ErrLocked) {
		return "wait until it is done; nothing was requested from the API"
	}
	if errors.As(err, &storage) {
		return storageHint(storage)
	}
	if errors.Is(err, audit.ErrNothingStored) {
		return "'flashback-sync sync' makes it"
	}
	kind, known := api.KindOf(err)
	switch {
	case !known:
		return ""
	case kind == api.Unauthorized:
		return "check the token: api.token_env, token_file or token_command in the configuration; 'flashback-sync check' tries it"
	case kind == api.Unreachable:
		return "check api.base_url and the network; what was committed is kept, and the next run goes on from there"
	case kind == api.NotFound:
		return "check api.base_url and the ids in the filters; 'optional: true' accepts a stream that is not served"
	}
	if errors.Is(err, extract.ErrIgnored) {
		return "see that no proxy or cache in front of the API drops the query of an address, or report it to who runs the API"
	}
	if kind == api.Refused || kind == api.OffContract {
		return "'flashback-sync check --show-answers' prints how such an answer begins, which may be personal data"
	}
	return ""
}

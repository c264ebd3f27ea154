package main

import (
	"context"
	"errors"

	"github.com/flashback-sync/flashback-sync/config"
	"github.com/flashback-sync/flashback-sync/extract/api"
	"github.com/flashback-sync/flashback-sync/internal/audit"
	"github.com/flashback-sync/flashback-sync/internal/run"
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

// hinted adds what to do next.
type hinted struct {
	error
	hint string
}

func (e *hinted) Unwrap() error { return e.error }

// exitCode is the code for the gravest failure within err.
func exitCode(ctx context.Context, err error) int {
	if err == nil {
		return codeOK
	}
	var stop stopped
	if errors.As(context.Cause(ctx), &stop) {
		return stop.code()
	}
	var (
		misuse   usageError
		problems config.Problems
		damaged  *duckdb.DamagedError
		storage  *duckdb.StorageError
		policy   *run.PolicyChanged
		key      *run.KeyMissing
	)
	switch {
	case errors.As(err, &misuse) || errors.As(err, &problems) || errors.As(err, &policy) || errors.As(err, &key):
		return codeUsage
	case errors.As(err, &damaged):
		return codeDamaged
	case errors.Is(err, load.ErrLocked):
		return codeLocked
	case errors.As(err, &storage):
		return codeStorage
	case errors.Is(err, run.ErrIncomplete):
		return codePartial
	case errors.Is(err, audit.ErrDifference) || errors.Is(err, errLeft):
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

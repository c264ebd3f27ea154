// Package exit says what a failure means to whoever runs the program: its exit code, and a
// hint about what to do. Commands alone use it.
package exit

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"

	"github.com/flashback-sync/flashback-sync/extract/api"
	"github.com/flashback-sync/flashback-sync/internal/audit"
	"github.com/flashback-sync/flashback-sync/internal/erasure"
	"github.com/flashback-sync/flashback-sync/internal/forgotten"
	"github.com/flashback-sync/flashback-sync/internal/privacy"
	"github.com/flashback-sync/flashback-sync/internal/query"
	"github.com/flashback-sync/flashback-sync/internal/run"
	"github.com/flashback-sync/flashback-sync/internal/serve/schedule"
	"github.com/flashback-sync/flashback-sync/load"
	"github.com/flashback-sync/flashback-sync/load/duckdb"
)

// Exit codes. They are a contract with cron jobs and monitors.
const (
	CodeOK           = 0
	CodeOther        = 1
	CodeUsage        = 2
	CodePartial      = 3
	CodeUnauthorized = 4
	CodeSource       = 5
	CodeStorage      = 6
	CodeLocked       = 7
	CodeDamaged      = 8
	CodeDifference   = 9
)

// Meaning is what an exit code says.
type Meaning struct {
	Code int
	Text string
}

// Meanings is what README.md says of exit codes.
var Meanings = []Meaning{
	{CodeOK, "done"},
	{CodeOther, "any other failure"},
	{CodeUsage, "usage or configuration"},
	{CodePartial, "partial: something is missing, and the message says what"},
	{CodeUnauthorized, "the token was refused"},
	{CodeSource, "the source does not answer, or not as documented"},
	{CodeStorage, "storage"},
	{CodeLocked, "another instance runs"},
	{CodeDamaged, "the warehouse is damaged or from a newer release"},
	{CodeDifference, "verify found a difference, or forget something left"},
	{Stopped{syscall.SIGINT}.Code(), "interrupted, cleanly"},
	{Stopped{syscall.SIGTERM}.Code(), "terminated, cleanly"},
}

// usageError is a mistake in arguments or configuration.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// Usage marks an error as a mistake in arguments or configuration; nil stays nil.
func Usage(err error) error {
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

// WithHint adds what to do about an error.
func WithHint(err error, hint string) error { return &hinted{err, hint} }

// Stopped is the cause of a context that a signal cancelled.
type Stopped struct{ Signal syscall.Signal }

func (s Stopped) Error() string { return "stopped by " + schedule.SignalName(s.Signal) }

// Code is the exit code.
func (s Stopped) Code() int { return 128 + int(s.Signal) }

// Reported is the error to report: of a run that a signal stopped it is the signal, and
// not what failed because of it.
func Reported(ctx context.Context, err error) error {
	var stop Stopped
	if err != nil && errors.As(context.Cause(ctx), &stop) {
		return stop
	}
	return err
}

// Code is the code for the gravest failure within err.
func Code(ctx context.Context, err error) int {
	if err == nil {
		return CodeOK
	}
	var stop Stopped
	if errors.As(context.Cause(ctx), &stop) {
		return stop.Code()
	}
	var (
		misuse    usageError
		statement *query.StatementError
		damaged   *duckdb.DamagedError
		storage   *duckdb.StorageError
		policy    *privacy.Changed
		key       *forgotten.KeyMissing
	)
	switch {
	case errors.As(err, &misuse) || errors.As(err, &statement) || errors.As(err, &policy) || errors.As(err, &key) || errors.Is(err, forgotten.ErrNoKey):
		return CodeUsage
	case errors.As(err, &damaged):
		return CodeDamaged
	case errors.Is(err, load.ErrLocked):
		return CodeLocked
	case errors.As(err, &storage):
		return CodeStorage
	case errors.Is(err, run.ErrIncomplete):
		return CodePartial
	case errors.Is(err, audit.ErrDifference) || errors.Is(err, erasure.ErrLeft):
		return CodeDifference
	}
	switch api.KindOf(err) {
	case api.None:
		return CodeOther
	case api.Unauthorized:
		return CodeUnauthorized
	}
	return CodeSource
}

// Gravest is the stream failure that decides the exit code: a refused token
// before a source that does not answer, before rows that are missing.
func Gravest(ctx context.Context, summary *run.Summary) error {
	var worst error
	rank := map[int]int{CodePartial: 1, CodeOther: 2, CodeSource: 3, CodeUnauthorized: 4, CodeStorage: 5}
	for _, name := range summary.Names() {
		err := summary.Streams[name].Err
		if err != nil && (worst == nil || rank[Code(ctx, err)] > rank[Code(ctx, worst)]) {
			worst = err
		}
	}
	return worst
}

// Verified is the error of a verification: a difference that was found matters
// more than what could not be compared, and less than a source or disk that failed.
func Verified(report *audit.Report, err error) error {
	if report != nil && (err == nil || errors.Is(err, run.ErrIncomplete) && report.Status == audit.Differs) {
		return difference(report)
	}
	return err
}

// Repaired is the error of a repair that came to its end, and could not repair
// everything. Rows that the source has deleted are none: they are kept.
func Repaired(ctx context.Context, done audit.Repaired) error {
	if done.Summary != nil {
		if err := Gravest(ctx, done.Summary); err != nil && !errors.Is(err, run.ErrIncomplete) {
			return err
		}
	}
	left := cmp.Or(done.Left, done.Found)
	if left == nil || left.OnlyExtra() {
		return nil
	}
	err := fmt.Errorf("%w after the repair: %s", audit.ErrDifference, left.Differences())
	if left.NeverSynced() {
		return WithHint(err, readsFirst)
	}
	return err
}

// difference is the error of a report that found one, with the commands that repair it.
func difference(r *audit.Report) error {
	if r.Status == audit.Match {
		return nil
	}
	var ways []string
	if r.NeverSynced() {
		ways = append(ways, readsFirst)
	}
	if r.Repairable() || len(ways) == 0 {
		ways = append(ways, "'flashback-sync repair' fetches again what differs")
	}
	if r.OnlyExtra() {
		ways = []string{"rows that the source has deleted are kept; there is nothing to repair"}
	}
	return WithHint(fmt.Errorf("%w: %s", audit.ErrDifference, r.Differences()), strings.Join(ways, ", "))
}

// readsFirst is the hint for what only a run reads: a repair fetches what was read.
const readsFirst = "'flashback-sync sync' reads what was never synced"

package exit

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/flashback-sync/flashback-sync/internal/audit"
	"github.com/flashback-sync/flashback-sync/internal/run"
)

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

package serve

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/flashback-sync/flashback-sync/internal/crash"
	"github.com/flashback-sync/flashback-sync/internal/journal"
)

// stalledAfter is how long a run of the schedule may show no progress. The longest
// legitimate pause is a Retry-After of the source, at most 15 minutes.
const stalledAfter = time.Hour

var errStalled = errors.New("the run showed no progress and was stopped")

// untilStalled returns a context that is cancelled with errStalled when progress
// returns the same text for the whole limit. The caller stops it.
func untilStalled(ctx context.Context, limit time.Duration, progress func() string) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	go func() {
		defer crash.Exit()
		ticker := time.NewTicker(limit / 60)
		defer ticker.Stop()
		last, since := progress(), time.Now()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
			}
			if now := progress(); now != last {
				last, since = now, time.Now()
			} else if time.Since(since) >= limit {
				cancel(errStalled)
				return
			}
		}
	}()
	return ctx, func() { cancel(nil) }
}

// progressOf is a run's progress without the time at which it was written.
func progressOf(dataDir string) string {
	p, err := journal.ReadProgress(dataDir)
	if err != nil || p == nil {
		return ""
	}
	return fmt.Sprint(p.RunID, p.Requests, p.Streams, p.Message)
}

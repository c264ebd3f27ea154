package run

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/dustin/go-humanize/english"

	"github.com/flashback-sync/flashback-sync/load"
)

// retain removes records of our own that are older than they are to be kept. Rejects
// leave the published file in the same run; old runs leave it when it is written next.
func (r *run) retain(ctx context.Context) error {
	keep, now := load.Keep{Runs: r.options.KeepRuns, Rejects: r.options.KeepRejects}, r.earliestNow()
	if before := r.options.expire; !before.IsZero() { // rejects have no time of their own but when they came
		if age := now.Sub(before); keep.Rejects == 0 || age < keep.Rejects {
			keep.Rejects = age
		}
	}
	removed, err := r.warehouse.Retain(ctx, keep, now)
	for _, stream := range slices.Sorted(maps.Keys(removed.Rejects)) {
		r.changed = true
		r.warn(stream, fmt.Sprintf("%s older than retention.rejects removed from rejected_records", english.Plural(int(removed.Rejects[stream]), "record", "")))
	}
	return err
}

// earliestNow is the earlier of our clock and the source's: one that is far ahead
// removes nothing.
func (r *run) earliestNow() time.Time {
	own := r.options.Now().UTC()
	if r.clock.IsZero() || r.clock.After(own) {
		return own
	}
	return r.clock
}

package pipeline

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/flashback-sync/flashback-sync/checkpoints"
	"github.com/flashback-sync/flashback-sync/load"
	"github.com/flashback-sync/flashback-sync/schema"
	"github.com/flashback-sync/flashback-sync/transform"
)

const (
	// A batch is committed when it holds so many rows or bytes: large enough for
	// a commit to cost little a row, small enough for bounded memory.
	batchRows  = 50_000
	batchBytes = 48 << 20
	// batchAge bounds how much work a crash can undo.
	batchAge = 15 * time.Second
)

// gatherer collects a stream's rows, rejects and coverage, and commits them
// together.
type gatherer struct {
	run       *run
	stream    string
	result    *Result
	rows      *transform.Batch
	summaries *transform.Batch // of policy_stats only
	coverage  []load.Coverage
	since     time.Time // of the last commit
	broken    error     // the commit that failed for good; nothing is stored after it
}

func (r *run) gather(table *schema.Table, result *Result) *gatherer {
	return &gatherer{
		run: r, stream: table.Name, result: result, since: r.options.Now(),
		rows: transform.NewBatch(table, memory.DefaultAllocator),
	}
}

func (g *gatherer) release() {
	g.rows.Release()
	if g.summaries != nil {
		g.summaries.Release()
	}
}

// add appends a record with the given function, committing first if the batch
// holds another version of the same row.
func (g *gatherer) add(ctx context.Context, add func() transform.Outcome) error {
	if g.broken != nil {
		return g.broken
	}
	g.result.Received++
	outcome := add()
	if outcome == transform.Conflict {
		if err := g.commit(ctx); err != nil {
			return err
		}
		outcome = add()
	}
	switch outcome {
	case transform.Duplicate:
		g.result.Duplicate++
	case transform.Rejected:
		g.result.Rejected++
	}
	return nil
}

// cover notes intervals that are complete once everything added so far is
// committed.
func (g *gatherer) cover(key checkpoints.Key, status checkpoints.Status, set checkpoints.Set) {
	if len(set) == 0 {
		return
	}
	for i := range g.coverage {
		if c := &g.coverage[i]; c.Key == key && c.Status == status {
			c.Set = c.Set.Union(set)
			return
		}
	}
	g.coverage = append(g.coverage, load.Coverage{Key: key, Status: status, Set: set})
}

// commitIfDue commits when the batch is large or old enough.
func (g *gatherer) commitIfDue(ctx context.Context) error {
	old := g.run.options.Now().Sub(g.since) >= batchAge
	if g.rows.Rows() < batchRows && g.rows.Bytes() < batchBytes && !old {
		return nil
	}
	return g.commit(ctx)
}

// commit writes what was gathered since the last commit, in one transaction.
func (g *gatherer) commit(ctx context.Context) error {
	if g.broken != nil {
		return g.broken
	}
	g.since = g.run.options.Now()
	built := g.rows.Build()
	defer built.Release()
	commit := load.Commit{RunID: g.run.options.RunID, Stream: g.stream, Coverage: g.coverage}
	g.coverage = nil // never vouched for without these rows, also if the commit fails
	appendBuilt(&commit, built)
	if g.summaries != nil {
		summaries := g.summaries.Build()
		defer summaries.Release()
		appendBuilt(&commit, summaries)
	}
	if len(commit.Rows)+len(commit.Rejects)+len(commit.Coverage) == 0 {
		return nil
	}
	// An interruption waits for the commit: it is short, and what it holds has
	// been received already.
	counts, err := g.store(context.WithoutCancel(ctx), commit)
	if err != nil {
		g.broken = err
		g.result.disown()
		return err
	}
	g.result.Inserted += counts.Inserted
	g.result.Updated += counts.Updated
	g.result.Unchanged += counts.Unchanged
	g.run.changed = g.run.changed || counts.Inserted+counts.Updated+counts.Quarantined > 0
	return nil
}

// store commits. A commit that failed may have landed all the same: the warehouse
// is opened again, so that the ledger tells, and the batch is committed once more.
// Rows that had landed are found unchanged then, so that every row is counted once.
func (g *gatherer) store(ctx context.Context, commit load.Commit) (load.Counts, error) {
	counts, err := g.run.warehouse.Commit(ctx, commit)
	var refused *load.StorageError
	if err == nil || !errors.As(err, &refused) || refused.Permanent {
		return counts, err
	}
	g.run.warn(g.stream, "a commit failed and is tried once more: "+err.Error())
	if err := g.run.warehouse.Recover(ctx); err != nil {
		return load.Counts{}, err
	}
	g.run.changed = true // by the first try, if it landed
	return g.run.warehouse.Commit(ctx, commit)
}

// disown takes out of the accounts what was received and could not be stored: the
// ledger lacks it, so the next run receives it again.
func (r *Result) disown() {
	r.Received = r.Inserted + r.Updated + r.Unchanged + r.Duplicate + r.Rejected
}

func appendBuilt(c *load.Commit, built *transform.Built) {
	if built.Record != nil {
		c.Rows = append(c.Rows, load.Rows{Table: built.Table, Record: built.Record, Oldest: built.Oldest, Newest: built.Newest})
	}
	for _, reject := range built.Rejects {
		c.Rejects = append(c.Rejects, load.Reject{Reason: reject.Reason, Raw: reject.Raw})
	}
}

// finish commits the rest, settles the table and closes the stream's accounts.
// What was received is kept also when the stream failed or was interrupted.
func (g *gatherer) finish(ctx context.Context, failure error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	if err := g.commit(ctx); err != nil {
		return err
	}
	correction, err := g.run.warehouse.Settle(ctx, g.run.options.RunID, schema.ByName(g.stream))
	if err != nil {
		return err
	}
	g.result.Inserted += correction.Inserted
	g.result.Updated += correction.Updated
	if unknown := g.rows.UnknownFields(); len(unknown) > 0 {
		g.run.warn(g.stream, "the source sends fields that this release does not know; they are kept in extra: "+strings.Join(unknown, ", "))
	}
	switch {
	case failure != nil:
		return failure
	case !g.result.conserves():
		return fmt.Errorf("%d rows received do not add up to %+v", g.result.Received, *g.result)
	case g.result.tooManyRejected():
		return fmt.Errorf("%w: %d of %d rows were rejected; see the table rejected_records", ErrIncomplete, g.result.Rejected, g.result.Received)
	}
	return nil
}

package main

import (
	"cmp"
	"context"
	"errors"

	"github.com/flashback-sync/flashback-sync/internal/audit"
	"github.com/flashback-sync/flashback-sync/internal/journal"
	"github.com/flashback-sync/flashback-sync/internal/run"
)

// synced adds a run's figures.
func (r *recorder) synced(summary *run.Summary) {
	if summary == nil {
		return
	}
	r.run.Streams = map[string]journal.Stream{}
	for name, s := range summary.Streams {
		noted := journal.Stream{
			Requests: s.Requests, Received: s.Received, Inserted: s.Inserted, Updated: s.Updated, Unchanged: s.Unchanged,
			Duplicate: s.Duplicate, Rejected: s.Rejected, Status: s.Status(), Complete: s.Complete, Served: s.Served, Queries: s.Queries, From: s.From, To: s.To, Took: s.Took,
		}
		if s.Error != nil {
			noted.Error = inOneLine(*s.Error)
		}
		r.run.Streams[name] = noted
		r.run.Verdict = string(audit.Worse(audit.Status(r.run.Verdict), audit.Status(s.Verified)))
		r.run.Missing += s.VerifiedMissing
	}
}

// verified adds a verification's verdict. Rows that the source has deleted are
// nothing that anybody has to be told at night.
func (r *recorder) verified(report *audit.Report) {
	if report == nil {
		return
	}
	r.run.Verdict, r.run.Missing = string(report.Status), 0
	if report.Status != audit.Match && report.OnlyExtra() {
		r.run.Verdict = string(audit.Extra)
	}
	for _, s := range report.Streams {
		r.run.Missing += s.Missing
	}
}

// provenBy ends a verification that is noted.
func (r *recorder) provenBy(ctx context.Context, report *audit.Report, err error) {
	if r == nil {
		return
	}
	if err == nil || errors.Is(err, audit.ErrDifference) {
		r.verified(report)
	}
	r.end(ctx, err)
}

// repaired adds what a repair did and left.
func (r *recorder) repaired(done audit.Repaired) {
	r.synced(done.Summary)
	r.verified(cmp.Or(done.Left, done.Found))
}

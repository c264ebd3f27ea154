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
	r.record.Outcome, r.record.Streams = summary.Status, map[string]journal.Stream{}
	for name, s := range summary.Streams {
		done := s.Stream
		if s.Error != nil {
			done.Error = new(inOneLine(*s.Error))
		}
		r.record.Streams[name] = done
		r.record.Verdict = string(audit.Worse(audit.Status(r.record.Verdict), audit.Status(s.Verified)))
		r.record.Missing += s.VerifiedMissing
	}
}

// verified adds a verification's verdict. Rows that the source has deleted raise no
// alarm.
func (r *recorder) verified(report *audit.Report) {
	if report == nil {
		return
	}
	r.record.Verdict, r.record.Missing = string(report.Status), 0
	if report.Status != audit.Match && report.OnlyExtra() {
		r.record.Verdict = string(audit.Extra)
	}
	for _, s := range report.Streams {
		r.record.Missing += s.Missing
	}
}

// endVerify ends the record of a verification; a nil recorder records nothing.
func (r *recorder) endVerify(ctx context.Context, report *audit.Report, err error) {
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

package metrics

import (
	"time"

	"github.com/flashback-sync/flashback-sync/internal/journal"
	"github.com/flashback-sync/flashback-sync/internal/status"
)

var byStream = []string{"stream"}

func streamFamilies() []family {
	return []family{
		{
			name: "rows", kind: gauge, labels: byStream, help: "Rows that are published.",
			read: each(func(_ *status.Status, of *status.Stream, add add) { add(float64(of.Rows), of.Name) }),
		},
		{
			name: "oldest_row_timestamp_seconds", kind: gauge, labels: byStream,
			help: "Time of the oldest row, in seconds since 1970; absent without rows.",
			read: each(func(_ *status.Status, of *status.Stream, add add) { optional(of.Oldest, add, of.Name) }),
		},
		{
			name: "newest_row_timestamp_seconds", kind: gauge, labels: byStream,
			help: "Time of the newest row, in seconds since 1970; absent without rows. A quiet source leaves it behind while nothing is missing: see complete_until.",
			read: each(func(_ *status.Status, of *status.Stream, add add) { optional(of.Newest, add, of.Name) }),
		},
		{
			name: "complete_until_timestamp_seconds", kind: gauge, labels: byStream,
			help: "Time up to which every query of the stream has been read completely, in seconds since 1970; absent as long as one never was. time() minus this is the lag, also in a textfile.",
			read: each(func(s *status.Status, of *status.Stream, add add) { optional(s.Fresh(of.Name), add, of.Name) }),
		},
		{
			name: "lag_seconds", kind: gauge, labels: byStream, live: true,
			help: "How far behind now the stream has been read completely, by the least of its queries; absent as long as one never was, and in a textfile, where it would stand still.",
			read: each(func(s *status.Status, of *status.Stream, add add) {
				if lag, known := s.Lag(of.Name); known {
					add(lag.Seconds(), of.Name)
				}
			}),
		},
		{
			name: "coverage_gaps", kind: gauge, labels: byStream,
			help: "Gaps in the covered range, which the next complete run closes.",
			read: each(func(_ *status.Status, of *status.Stream, add add) { add(float64(len(of.Gaps())), of.Name) }),
		},
		{
			name: "coverage_lost_ranges", kind: gauge, labels: byStream,
			help: "Ranges of time that the source can no longer give.",
			read: each(func(_ *status.Status, of *status.Stream, add add) { add(float64(len(of.Lost())), of.Name) }),
		},
		{
			name: "rejected_records", kind: gauge, labels: byStream,
			help: "Records in quarantine: they could not be typed, and are in the table rejected_records.",
			read: each(func(_ *status.Status, of *status.Stream, add add) { add(float64(of.Rejected), of.Name) }),
		},
		lateness("median", "How late half of the late rows came at most", func(l *status.Lateness) time.Duration { return l.Median }),
		lateness("p99", "How late 99 % of the late rows came at most", func(l *status.Lateness) time.Duration { return l.P99 }),
		lateness("max", "How late the latest row came", func(l *status.Lateness) time.Duration { return l.Max }),
		{
			name: "lookback_seconds", kind: gauge, labels: byStream,
			help: "How far back a run looks for late rows, as configured; it should stay well above lateness_max. Absent for statistics, which have none.",
			read: each(func(_ *status.Status, of *status.Stream, add add) {
				if of.Lookback > 0 {
					add(of.Lookback.Seconds(), of.Name)
				}
			}),
		},
	}
}

func lateness(name, help string, which func(*status.Lateness) time.Duration) family {
	return family{
		name: "lateness_" + name + "_seconds", kind: gauge, labels: byStream,
		help: help + ", of the last 90 days: the time between a row's own time and its arrival. Absent if none came late.",
		read: each(func(_ *status.Status, of *status.Stream, add add) {
			if of.Lateness != nil {
				add(which(of.Lateness).Seconds(), of.Name)
			}
		}),
	}
}

func rowFamilies() []family {
	return []family{
		rows("received", "Records that the source sent, again and again those that are read again", func(t journal.StreamTotals) int64 { return t.Received }),
		rows("inserted", "Rows that were new", func(t journal.StreamTotals) int64 { return t.Inserted }),
		rows("updated", "Rows that replaced an older version", func(t journal.StreamTotals) int64 { return t.Updated }),
		rows("rejected", "Records that could not be typed and went into quarantine, again each time they were sent", func(t journal.StreamTotals) int64 { return t.Rejected }),
	}
}

// rows counts over all runs. A stream that is configured begins at 0.
func rows(name, help string, which func(journal.StreamTotals) int64) family {
	return family{
		name: "rows_" + name + "_total", kind: counter, labels: byStream, help: help + "; over all runs.",
		read: func(s *status.Status, add add) {
			for _, stream := range known(status.StreamNames(), func(stream string) bool {
				_, ran := s.Totals.Streams[stream]
				return ran || s.Stream(stream) != nil
			}) {
				add(float64(which(s.Totals.Streams[stream])), stream)
			}
		},
	}
}

// each reads every stream that is awaited: of one that the configuration does not
// name any more, or that the source does not have, nothing can be stale or missing.
func each(read func(s *status.Status, of *status.Stream, add add)) func(*status.Status, add) {
	return func(s *status.Status, add add) {
		for _, name := range known(status.StreamNames(), s.Awaited) {
			read(s, s.Stream(name), add)
		}
	}
}

func optional(t *time.Time, add add, labels ...string) {
	if t != nil {
		moment(*t, add, labels...)
	}
}

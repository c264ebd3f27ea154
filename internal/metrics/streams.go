package metrics

import (
	"time"

	"github.com/flashback-sync/flashback-sync/internal/journal"
	"github.com/flashback-sync/flashback-sync/internal/status"
)

func streamFamilies() []family {
	lag := ofStream("lag_seconds", "How far behind now the stream has been read completely, by the least of its queries; absent as long as one never was, and in a textfile, where it would not change.",
		func(s *status.Status, of *status.Stream, add add) {
			if lag, known := s.Lag(of.Name); known {
				add(lag.Seconds())
			}
		})
	lag.live = true
	return []family{
		lag,
		ofStream("rows", "Rows that are published.",
			func(_ *status.Status, of *status.Stream, add add) { add(float64(of.Rows)) }),
		ofStream("oldest_row_timestamp_seconds", "Time of the oldest row, in seconds since 1970; absent without rows.",
			func(_ *status.Status, of *status.Stream, add add) { optional(of.Oldest, add) }),
		ofStream("newest_row_timestamp_seconds", "Time of the newest row, in seconds since 1970; absent without rows. A quiet source leaves it behind while nothing is missing: see complete_until.",
			func(_ *status.Status, of *status.Stream, add add) { optional(of.Newest, add) }),
		ofStream("complete_until_timestamp_seconds", "Time up to which every query of the stream has been read completely, in seconds since 1970; absent as long as one never was. time() minus this is the lag, also in a textfile.",
			func(s *status.Status, of *status.Stream, add add) { optional(s.Fresh(of.Name), add) }),
		ofStream("coverage_gaps", "Gaps in the covered range, which the next complete run closes.",
			func(_ *status.Status, of *status.Stream, add add) { add(float64(len(of.Gaps()))) }),
		ofStream("coverage_lost_ranges", "Ranges of time that the source can no longer give.",
			func(_ *status.Status, of *status.Stream, add add) { add(float64(len(of.Lost()))) }),
		ofStream("rejected_records", "Records in quarantine: they could not be typed, and are in the table rejected_records.",
			func(_ *status.Status, of *status.Stream, add add) { add(float64(of.Rejected)) }),
		ofStream("lookback_seconds", "How far back a run looks for late rows, as configured; it should stay well above lateness_max. Absent for statistics, which have none.",
			func(_ *status.Status, of *status.Stream, add add) {
				if of.Lookback > 0 {
					add(of.Lookback.Seconds())
				}
			}),
		lateness("median", "How late half of the late rows came at most", func(l *status.Lateness) time.Duration { return l.Median }),
		lateness("p99", "How late 99 % of the late rows came at most", func(l *status.Lateness) time.Duration { return l.P99 }),
		lateness("max", "How late the latest row came", func(l *status.Lateness) time.Duration { return l.Max }),
		rows("received", "Records that the source sent, again and again those that are read again", func(t journal.StreamTotals) int64 { return t.Received }),
		rows("inserted", "Rows that were new", func(t journal.StreamTotals) int64 { return t.Inserted }),
		rows("updated", "Rows that replaced an older version", func(t journal.StreamTotals) int64 { return t.Updated }),
		rows("rejected", "Records that could not be typed and went into quarantine, again each time they were sent", func(t journal.StreamTotals) int64 { return t.Rejected }),
	}
}

// ofStream reads every stream that is awaited: of one that the configuration does not
// name any more, or that the source does not have, nothing can be stale or missing.
func ofStream(name, help string, read func(s *status.Status, of *status.Stream, add add)) family {
	return family{name: name, help: help, labels: []string{"stream"}, read: func(s *status.Status, add add) {
		for _, stream := range status.StreamNames() {
			if s.Awaited(stream) {
				read(s, s.Stream(stream), func(value float64, _ ...string) { add(value, stream) })
			}
		}
	}}
}

func lateness(name, help string, which func(*status.Lateness) time.Duration) family {
	help += ", of the last 90 days: the time between a row's own time and its arrival. Absent if none came late."
	return ofStream("lateness_"+name+"_seconds", help, func(_ *status.Status, of *status.Stream, add add) {
		if of.Lateness != nil {
			add(which(of.Lateness).Seconds())
		}
	})
}

// rows counts over all runs. A stream that is configured begins at 0.
func rows(name, help string, which func(journal.StreamTotals) int64) family {
	return family{name: "rows_" + name + "_total", help: help + "; over all runs.", labels: []string{"stream"}, read: func(s *status.Status, add add) {
		for _, stream := range status.StreamNames() {
			if totals, ran := s.Totals.Streams[stream]; ran || s.Stream(stream) != nil {
				add(float64(which(totals)), stream)
			}
		}
	}}
}

func optional(t *time.Time, add add) {
	if t != nil {
		moment(*t, add)
	}
}

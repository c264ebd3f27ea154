package metrics

import (
	"time"

	"github.com/flashback-sync/flashback-sync/internal/status"
)

// streams are those that are awaited: of one that the configuration does not name any
// more, or that the source does not have, nothing can be stale or missing. Sums over all
// runs stay for every stream that has any, and begin at 0 for one that is configured.
func (d drawing) streams() {
	for _, name := range status.StreamNames() {
		with := labels{"stream": name}
		if totals, ran := d.Totals.Streams[name]; ran || d.Stream(name) != nil {
			d.add("rows_received_total", "Records that the source sent, again and again those that are read again; over all runs.", float64(totals.Received), with)
			d.add("rows_inserted_total", "Rows that were new; over all runs.", float64(totals.Inserted), with)
			d.add("rows_updated_total", "Rows that replaced an older version; over all runs.", float64(totals.Updated), with)
			d.add("rows_rejected_total", "Records that could not be typed and went into quarantine, again each time they were sent; over all runs.", float64(totals.Rejected), with)
		}
		if d.Awaited(name) {
			d.stream(d.Stream(name), with)
		}
	}
}

func (d drawing) stream(of *status.Stream, with labels) {
	if lag, known := d.Lag(of.Name); known && d.live {
		d.add("lag_seconds", "How far behind now the stream has been read completely, by the least of its queries; absent as long as one never was, and in a textfile, where it would not change.", lag.Seconds(), with)
	}
	d.add("rows", "Rows that are published.", float64(of.Rows), with)
	d.moment("oldest_row_timestamp_seconds", "Time of the oldest row, in seconds since 1970; absent without rows.", of.Oldest, with)
	d.moment("newest_row_timestamp_seconds", "Time of the newest row, in seconds since 1970; absent without rows. A quiet source leaves it behind while nothing is missing: see complete_until.", of.Newest, with)
	d.moment("complete_until_timestamp_seconds", "Time up to which every query of the stream has been read completely, in seconds since 1970; absent as long as one never was. time() minus this is the lag, also in a textfile.", d.Fresh(of.Name), with)
	d.add("coverage_gaps", "Gaps in the covered range, which the next complete run closes.", float64(len(of.Gaps())), with)
	d.add("coverage_lost_ranges", "Ranges of time that the source can no longer give.", float64(len(of.Lost())), with)
	d.add("rejected_records", "Records in quarantine: they could not be typed, and are in the table rejected_records.", float64(of.Rejected), with)
	if of.Lookback > 0 {
		d.add("lookback_seconds", "How far back a run looks for late rows, as configured; it should stay well above lateness_max. Absent for statistics, which have none.", of.Lookback.Seconds(), with)
	}
	if l := of.Lateness; l != nil {
		d.lateness("median", "How late half of the late rows came at most", l.Median, with)
		d.lateness("p99", "How late 99 % of the late rows came at most", l.P99, with)
		d.lateness("max", "How late the latest row came", l.Max, with)
	}
}

func (d drawing) lateness(name, help string, value time.Duration, with labels) {
	d.add("lateness_"+name+"_seconds", help+", of the last 90 days: the time between a row's own time and its arrival. Absent if none came late.", value.Seconds(), with)
}

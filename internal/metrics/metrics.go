// Package metrics shows a status to Prometheus: as a page that is scraped, and as
// a file for node_exporter's textfile collector.
//
// Every metric is drawn from one [status.Status]. What is not known is absent and
// not 0: a stream has no lag before it was read completely once. Counters are sums
// over the whole journal, so that they never go backwards. Label values come from
// fixed lists, whatever the journal or the source says, so that there are never more
// than a few hundred series.
//
// What changes by the clock alone (a lag, a run under way) is left out of the file,
// where it would not change between runs: a file has the moment up to which a stream
// is complete instead, and a rule compares that with time().
package metrics

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/flashback-sync/flashback-sync/internal/crash"
	"github.com/flashback-sync/flashback-sync/internal/status"
)

const prefix = "flashback_sync_"

type labels = prometheus.Labels

// drawing is a status on its way to Prometheus.
type drawing struct {
	*status.Status
	live bool // with what is true at the moment of a scrape only
	out  chan<- prometheus.Metric
}

func (d drawing) draw() {
	d.program()
	d.streams()
	d.runs()
	d.verification()
}

// add sends one value; a metric has the same help and the same labels each time. Names of
// counters end with _total.
func (d drawing) add(name, help string, value float64, with labels) {
	kind := prometheus.GaugeValue
	if strings.HasSuffix(name, "_total") {
		kind = prometheus.CounterValue
	}
	d.out <- prometheus.MustNewConstMetric(prometheus.NewDesc(prefix+name, help, nil, with), kind, value)
}

// moment sends a time, unless it is not known.
func (d drawing) moment(name, help string, at *time.Time, with labels) {
	if at != nil && !at.IsZero() {
		d.add(name, help, float64(at.UnixMilli())/1000, with)
	}
}

func (d drawing) truth(name, help string, is bool, with labels) {
	value := 0.0
	if is {
		value = 1
	}
	d.add(name, help, value, with)
}

func (d drawing) program() {
	d.add("build_info", "Always 1; the label says which version of flashback-sync this is.", 1,
		labels{"version": strings.ToValidUTF8(d.Version[:min(len(d.Version), 100)], "")})
	counts := map[status.Level]int{}
	for _, p := range d.Problems() {
		counts[p.Level]++
	}
	for _, level := range []status.Level{status.Bad, status.Warn, status.Note} {
		d.add("problems", "Problems, as on the status page: bad (somebody has to act), warn (somebody should look), note (worth knowing).",
			float64(counts[level]), labels{"level": string(level)})
	}
	if d.StaleAfter > 0 {
		d.add("stale_after_seconds", "How far a stream may lag before it counts as stale, as configured; absent if it never does.", d.StaleAfter.Seconds(), nil)
	}
	if h := d.Holdings; h != nil {
		const size = "Size of what is published: the DuckDB file (0 if none is), all Parquet files of the lake."
		d.add("published_bytes", size, float64(h.DuckDBBytes), labels{"file": "duckdb"})
		d.add("published_bytes", size, float64(h.LakeBytes), labels{"file": "lake"})
		d.add("lake_files", "Parquet files of the lake.", float64(h.LakeFiles), nil)
		d.moment("published_timestamp_seconds",
			"When the published ledger of what is covered was written, in seconds since 1970. Runs that change no row renew it twice a day only.", &h.At, nil)
	}
}

// collector is a prometheus.Collector of the status that read returns at every scrape.
// Scrapes may come at once.
type collector struct {
	read func() *status.Status // may return nil
	live bool
}

// Describe implements prometheus.Collector. Which metrics there are depends on the status,
// so none is announced.
func (c collector) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector, which calls it in a goroutine of its own.
func (c collector) Collect(out chan<- prometheus.Metric) {
	defer crash.Exit()
	if s := c.read(); s != nil {
		drawing{s, c.live, out}.draw()
	}
}

// Handler serves /metrics: the status, and this process's own memory, threads and
// file descriptors.
func Handler(read func() *status.Status) http.Handler {
	registry := prometheus.NewRegistry()
	registry.MustRegister(
		collector{read, true},
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	return promhttp.HandlerFor(registry, promhttp.HandlerOpts{})
}

// WriteTextfile puts a file for node_exporter in its place, whole or not at all.
// Everyone may read it, since node_exporter is another user; it has numbers and
// the names of this package only. Its name should end in .prom.
func WriteTextfile(path string, s *status.Status) error {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collector{func() *status.Status { return s }, false})
	if err := prometheus.WriteToTextfile(path, registry); err != nil {
		return fmt.Errorf("write metrics: %w", err)
	}
	return nil
}

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

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

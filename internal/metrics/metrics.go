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
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/common/expfmt"

	"github.com/flashback-sync/flashback-sync/internal/crash"
	"github.com/flashback-sync/flashback-sync/internal/status"
	"github.com/flashback-sync/flashback-sync/load/durable"
)

const prefix = "flashback_sync_"

// family is a metric: its name without the prefix, what it means, and how its
// series are read from a status.
type family struct {
	name   string
	help   string
	labels []string
	// live says that the value is true at the moment of a scrape only.
	live bool
	read func(s *status.Status, add add)
}

// add gives a family a series; the label values are in the order of its labels.
type add func(value float64, labels ...string)

// kind is that of the name: counters end with _total.
func (f *family) kind() prometheus.ValueType {
	if strings.HasSuffix(f.name, "_total") {
		return prometheus.CounterValue
	}
	return prometheus.GaugeValue
}

func families() []family {
	return slices.Concat(programFamilies(), streamFamilies(), runFamilies())
}

func programFamilies() []family {
	return []family{
		{
			name: "build_info", labels: []string{"version"},
			help: "Always 1; the label says which version of flashback-sync this is.",
			read: func(s *status.Status, add add) {
				add(1, strings.ToValidUTF8(s.Version[:min(len(s.Version), 100)], ""))
			},
		},
		{
			name: "problems", labels: []string{"level"},
			help: "Problems, as on the status page: bad (somebody has to act), warn (somebody should look), note (worth knowing).",
			read: func(s *status.Status, add add) {
				counts := map[status.Level]int{}
				for _, p := range s.Problems() {
					counts[p.Level]++
				}
				for _, level := range []status.Level{status.Bad, status.Warn, status.Note} {
					add(float64(counts[level]), string(level))
				}
			},
		},
		{
			name: "stale_after_seconds",
			help: "How far a stream may lag before it counts as stale, as configured; absent if it never does.",
			read: func(s *status.Status, add add) {
				if s.StaleAfter > 0 {
					add(s.StaleAfter.Seconds())
				}
			},
		},
		{
			name: "published_bytes", labels: []string{"file"},
			help: "Size of what is published: the DuckDB file (0 if none is), all Parquet files of the lake.",
			read: published(func(h *status.Holdings, add add) {
				add(float64(h.DuckDBBytes), "duckdb")
				add(float64(h.LakeBytes), "lake")
			}),
		},
		{
			name: "lake_files", help: "Parquet files of the lake.",
			read: published(func(h *status.Holdings, add add) { add(float64(h.LakeFiles)) }),
		},
		{
			name: "published_timestamp_seconds",
			help: "When the published ledger of what is covered was written, in seconds since 1970. Runs that change no row renew it twice a day only.",
			read: published(func(h *status.Holdings, add add) { moment(h.At, add) }),
		},
	}
}

// published reads what is published, if it is known.
func published(read func(h *status.Holdings, add add)) func(*status.Status, add) {
	return func(s *status.Status, add add) {
		if s.Holdings != nil {
			read(s.Holdings, add)
		}
	}
}

// moment adds a time, unless it is none.
func moment(t time.Time, add add, labels ...string) {
	if !t.IsZero() {
		add(float64(t.UnixMilli())/1000, labels...)
	}
}

func truth(is bool) float64 {
	if is {
		return 1
	}
	return 0
}

// collector is a prometheus.Collector of the families of a status. It stores no
// values: each is read anew.
type collector struct {
	read     func() *status.Status // may return nil
	families []family
	descs    []*prometheus.Desc
}

// newCollector shows what read returns at every scrape. Scrapes may come at once.
func newCollector(read func() *status.Status, live bool) *collector {
	c := &collector{read: read}
	for _, f := range families() {
		if live || !f.live {
			c.families = append(c.families, f)
			c.descs = append(c.descs, prometheus.NewDesc(prefix+f.name, f.help, f.labels, nil))
		}
	}
	return c
}

// Describe implements prometheus.Collector.
func (c *collector) Describe(out chan<- *prometheus.Desc) {
	for _, desc := range c.descs {
		out <- desc
	}
}

// Collect implements prometheus.Collector, which calls it in a goroutine of its own.
func (c *collector) Collect(out chan<- prometheus.Metric) {
	defer crash.Exit()
	s := c.read()
	if s == nil {
		return
	}
	for i, f := range c.families {
		f.read(s, func(value float64, labels ...string) {
			out <- prometheus.MustNewConstMetric(c.descs[i], f.kind(), value, labels...)
		})
	}
}

// Handler serves /metrics: the status, and this process's own memory, threads and
// file descriptors.
func Handler(read func() *status.Status) http.Handler {
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(
		newCollector(read, true),
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	return promhttp.HandlerFor(registry, promhttp.HandlerOpts{})
}

// WriteTextfile puts a file for node_exporter in its place, whole or not at all.
// Everyone may read it, since node_exporter is another user; it has numbers and
// the names of this package only. Its name should end in .prom.
func WriteTextfile(path string, s *status.Status) error {
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(newCollector(func() *status.Status { return s }, false))
	all, err := registry.Gather()
	if err != nil {
		return fmt.Errorf("gather metrics: %w", err)
	}
	file, err := durable.CreateMode(path, 0o644)
	if err != nil {
		return fmt.Errorf("write metrics: %w", err)
	}
	defer func() { _ = file.Abort() }()
	out := expfmt.NewEncoder(file, expfmt.NewFormat(expfmt.TypeTextPlain))
	for _, one := range all {
		if err := out.Encode(one); err != nil {
			return fmt.Errorf("write metrics: %w", err)
		}
	}
	return file.Commit()
}

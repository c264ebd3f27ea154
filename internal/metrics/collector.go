package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/flashback-sync/flashback-sync/internal/crash"
	"github.com/flashback-sync/flashback-sync/internal/status"
)

// collector is a prometheus.Collector of a status. It holds no values: whatever
// it shows is read anew.
type collector struct {
	read func() *status.Status
	all  []described
}

type described struct {
	family
	desc *prometheus.Desc
}

// newCollector shows what read returns at every scrape. Scrapes may come at once;
// read returns nil as long as nothing is known. What is true for a moment only is
// left out, unless it is live.
func newCollector(read func() *status.Status, live bool) *collector {
	c := &collector{read: read}
	for _, f := range families() {
		if live || !f.live {
			c.all = append(c.all, described{family: f, desc: f.desc()})
		}
	}
	return c
}

// Describe implements prometheus.Collector.
func (c *collector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range c.all {
		out <- d.desc
	}
}

// Collect implements prometheus.Collector, which calls it in a goroutine of its own.
func (c *collector) Collect(out chan<- prometheus.Metric) {
	defer crash.Exit()
	s := c.read()
	if s == nil {
		return
	}
	for _, d := range c.all {
		d.family.read(s, func(value float64, labels ...string) {
			out <- prometheus.MustNewConstMetric(d.desc, d.kind, value, labels...)
		})
	}
}

package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/flashback-sync/flashback-sync/internal/status"
)

// Collector is a prometheus.Collector of a status. It holds no values: whatever
// it shows is read anew.
type Collector struct {
	read func() *status.Status
	all  []described
}

type described struct {
	family
	desc *prometheus.Desc
}

// New returns a collector of what read returns at every scrape. Scrapes may come
// at once; read returns nil as long as nothing is known.
func New(read func() *status.Status) *Collector { return collector(read, true) }

// collector leaves out what is true for a moment only, unless it is live.
func collector(read func() *status.Status, live bool) *Collector {
	c := &Collector{read: read}
	for _, f := range families() {
		if live || !f.live {
			c.all = append(c.all, described{family: f, desc: f.desc()})
		}
	}
	return c
}

// Describe implements prometheus.Collector.
func (c *Collector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range c.all {
		out <- d.desc
	}
}

// Collect implements prometheus.Collector.
func (c *Collector) Collect(out chan<- prometheus.Metric) {
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

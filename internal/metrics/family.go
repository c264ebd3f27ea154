package metrics

import (
	"slices"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/flashback-sync/flashback-sync/internal/status"
)

const prefix = "flashback_sync_"

const (
	gauge   = prometheus.GaugeValue
	counter = prometheus.CounterValue
)

// family is a metric: its name without the prefix, what it means, and how its
// series are read from a status.
type family struct {
	name   string
	help   string
	kind   prometheus.ValueType
	labels []string
	// live says that the value is true at the moment of a scrape only.
	live bool
	read func(s *status.Status, add add)
}

// add gives a family a series; the label values are in the order of its labels.
type add func(value float64, labels ...string)

func (f *family) desc() *prometheus.Desc {
	return prometheus.NewDesc(prefix+f.name, f.help, f.labels, nil)
}

func families() []family {
	return slices.Concat(programFamilies(), fileFamilies(), streamFamilies(), rowFamilies(), runFamilies(), lastRunFamilies(), proofFamilies())
}

// known are the values of a label, those of want only and in its order.
func known(want []string, has func(string) bool) (names []string) {
	for _, name := range want {
		if has(name) {
			names = append(names, name)
		}
	}
	return names
}

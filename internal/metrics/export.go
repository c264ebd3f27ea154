package metrics

import (
	"fmt"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/common/expfmt"

	"github.com/flashback-sync/flashback-sync/internal/status"
	"github.com/flashback-sync/flashback-sync/load/durable"
)

// mostScrapes are answered at once; more are told to come again.
const mostScrapes = 4

// Handler serves /metrics: the status, and this process's own memory, threads and
// file descriptors.
func Handler(read func() *status.Status) http.Handler {
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(
		newCollector(read, true),
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	return promhttp.HandlerFor(registry, promhttp.HandlerOpts{MaxRequestsInFlight: mostScrapes})
}

// WriteTextfile puts a file for node_exporter in its place, whole or not at all.
// Everyone may read it, since node_exporter is another user; it holds numbers and
// the names of this package only. Its name should end in .prom.
func WriteTextfile(path string, s *status.Status) error {
	if err := writeTextfile(path, s); err != nil {
		return fmt.Errorf("write metrics: %w", err)
	}
	return nil
}

func writeTextfile(path string, s *status.Status) error {
	registry := prometheus.NewPedanticRegistry()
	if err := registry.Register(newCollector(func() *status.Status { return s }, false)); err != nil {
		return err
	}
	all, err := registry.Gather()
	if err != nil {
		return err
	}
	file, err := durable.CreateMode(path, 0o644)
	if err != nil {
		return err
	}
	defer func() { _ = file.Abort() }()
	out := expfmt.NewEncoder(file, expfmt.NewFormat(expfmt.TypeTextPlain))
	for _, one := range all {
		if err := out.Encode(one); err != nil {
			return err
		}
	}
	return file.Commit()
}

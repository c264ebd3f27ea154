package serve

import (
	"context"
	"net/http"
	"slices"

	"github.com/flashback-sync/flashback-sync/internal/journal"
	"github.com/flashback-sync/flashback-sync/internal/metrics"
	"github.com/flashback-sync/flashback-sync/internal/serve/web"
	"github.com/flashback-sync/flashback-sync/internal/status"
)

func (s *Server) handler() http.Handler {
	return web.Handler(web.Options{
		User: s.options.User, Password: s.options.Password, Host: s.options.Host,
		Status: s.status, Alive: s.alive,
		Crashed: func(trace string) { s.log.Error().Str("trace", trace).Msg("a request failed with an internal error") },
		Metrics: metrics.Handler(func() *status.Status {
			now, err := s.status(context.Background())
			if err != nil {
				s.log.Error().Err(err).Msg("the status for metrics cannot be read")
				return nil
			}
			return now
		}),
	})
}

// status is all there is to show now.
func (s *Server) status(ctx context.Context) (*status.Status, error) {
	now, err := status.ReadRecords(s.present().Status)
	if err != nil {
		return nil, err
	}
	now.Jobs = s.supervisor.State()
	now.Runs = s.withUnrecorded(now.Runs)
	err = s.options.Place.check()
	if err == nil {
		now.Holdings, err = s.published.read(ctx)
	}
	if err != nil {
		now.HoldingsError = err.Error()
	}
	return now, nil
}

// withUnrecorded adds the run that the journal could not take while it is the last
// one: otherwise the page would show no problem while every run fails.
func (s *Server) withUnrecorded(runs []journal.Run) []journal.Run {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.unrecorded == nil || len(runs) > 0 && !runs[0].FinishedAt.Before(s.unrecorded.FinishedAt) {
		return runs
	}
	return slices.Insert(runs, 0, *s.unrecorded)
}

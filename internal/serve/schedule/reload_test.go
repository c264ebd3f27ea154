package schedule

import (
	"sync"
	"testing"
	"time"
)

func TestReloadKeepsWhatDidNotChange(t *testing.T) {
	onStage(t, func(s *stage) {
		s.begin(s.attempted(0, "sync", "verify"), s.job("sync", "@every 1h"), s.job("verify", "@every 90m"))
		s.pass(50 * time.Minute)
		s.Reload([]Job{s.job("sync", "@every 1h"), s.job("verify", "@every 20m")})
		s.pass(30 * time.Minute)
		s.ran("sync 2000-01-01 01:00:00", "verify 2000-01-01 01:10:00")
	})
}

func TestReloadPlansFromNowOn(t *testing.T) {
	onStage(t, func(s *stage) {
		s.begin(s.attempted(0, "sync", "verify", "alerts"), s.job("sync", "0 20 * * *"), s.job("verify", "0 3 * * 0"))
		s.pass(12 * time.Hour)
		// The new plans would have had slots this morning.
		s.Reload([]Job{s.job("sync", "0 9 * * *"), s.job("verify", "0 3 * * *"), s.job("alerts", "@hourly"), s.job("violations", "@hourly")})
		s.pass(time.Minute)
		s.ran("violations 2000-01-01 12:00:05 catch-up") // it never ran, and the next look finds it
		s.pass(21 * time.Hour)
		if got := s.at["sync"]; len(got) != 1 || !got[0].Equal(moment(t, "2000-01-02T09:00:00Z")) {
			t.Errorf("sync ran at %v, want the next morning", got)
		}
	})
}

func TestReloadLetsWhatRunsAndWaitsGoOn(t *testing.T) {
	onStage(t, func(s *stage) {
		s.took["sync"] = 2 * time.Hour
		s.begin(s.attempted(0, "sync", "verify"), s.job("sync", "0 1 * * *"), s.job("verify", "30 1 * * *"))
		s.pass(100 * time.Minute)
		s.Reload([]Job{s.job("verify", "0 12 * * *")})
		s.pass(time.Minute)
		s.Reload([]Job{s.job("verify", "0 12 * * *"), s.job("sync", "30 * * * *")})
		s.pass(59 * time.Minute)
		if states := s.State(); !states[0].Waiting || !states[1].Running {
			t.Errorf("%+v", states)
		}
		s.pass(25 * time.Minute)
		s.ran("sync 2000-01-01 01:00:00", "verify 2000-01-01 01:30:00")
		s.skipped("sync 2000-01-01 02:30:00: " + stillRuns)
	})
}

func TestARemovedJobRunsNoMore(t *testing.T) {
	onStage(t, func(s *stage) {
		s.begin(s.attempted(0, "sync"), s.job("sync", "@hourly"))
		s.Reload(nil)
		s.pass(5 * time.Hour)
		s.Reload([]Job{s.job("sync", "@hourly")})
		s.pass(90 * time.Minute)
		s.ran("sync 2000-01-01 06:00:00")
	})
}

func TestReloadAndStateFromAnywhere(t *testing.T) {
	onStage(t, func(s *stage) {
		s.begin(nil, s.job("sync", "@every 1s"))
		var others sync.WaitGroup
		for i := range 4 {
			others.Go(func() {
				for range 200 {
					time.Sleep(time.Duration(i+1) * 700 * time.Millisecond)
					s.Reload([]Job{s.job("sync", "@every 1s"), s.job("verify", "@every 3s")})
					_ = s.State()
				}
			})
		}
		others.Wait()
		s.stop()
		<-s.returned
		if len(s.at["sync"]) < 100 || len(s.at["verify"]) < 20 {
			t.Errorf("%d and %d runs", len(s.at["sync"]), len(s.at["verify"]))
		}
	})
}

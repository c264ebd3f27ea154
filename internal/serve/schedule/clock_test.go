package schedule

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/flashback-sync/flashback-sync/internal/journal"
)

func TestAClockSetBackNeitherRepeatsNorStalls(t *testing.T) {
	onStage(t, func(s *stage) {
		s.begin(s.attempted(0, "sync", "alerts"), s.job("sync", "0 * * * *"), s.job("alerts", "@every 10m"))
		s.pass(61 * time.Minute)
		s.begun = nil
		s.sleep(-300 * day) // to 7 March 1999, 01:01
		s.pass(time.Hour)
		// The first look after that was at 01:01:02.
		s.ran("alerts 1999-03-07 01:11:02", "alerts 1999-03-07 01:21:02", "alerts 1999-03-07 01:31:02",
			"alerts 1999-03-07 01:41:02", "alerts 1999-03-07 01:51:02", "sync 1999-03-07 02:00:00")
		s.skipped()
	})
}

func TestAClockSetBackALittleRunsNoSlotTwice(t *testing.T) {
	onStage(t, func(s *stage) {
		s.begin(s.attempted(0, "sync"), s.job("sync", "0 * * * *"))
		s.pass(time.Hour)
		s.sleep(-50 * time.Second)
		s.pass(30 * time.Minute)
		s.ran("sync 2000-01-01 01:00:00")
	})
}

func TestAClockThatGoesToAndFroRunsWithinBounds(t *testing.T) {
	onStage(t, func(s *stage) {
		dice := rand.New(rand.NewPCG(5, 6))
		s.begin(s.attempted(0, "sync"), s.job("sync", "@hourly"))
		for range 2000 {
			s.sleep(time.Duration(dice.Int64N(int64(4*day))) - 2*day)
			s.pass(time.Minute)
		}
		// A jump makes one run due at most, and so does a slot.
		if n := len(s.at["sync"]); n < 500 || n > 2100 {
			t.Errorf("%d runs", n)
		}
	})
}

func TestAClockSetBackDoesNotDelayAWaitingTurn(t *testing.T) {
	onStage(t, func(s *stage) {
		s.random = func(most time.Duration) time.Duration { return most }
		sync := s.job("sync", "0 * * * *")
		sync.Jitter = 10 * time.Minute
		s.begin(s.attempted(0, "sync"), sync)
		s.pass(65 * time.Minute)
		s.sleep(-30 * day)
		s.pass(11 * time.Minute)
		s.ran("sync 2000-01-01 01:00:00")
	})
}

func TestAnAttemptInTheFutureCountsFromNow(t *testing.T) {
	onStage(t, func(s *stage) {
		s.begin(s.attempted(-400*day, "sync"), s.job("sync", "0 * * * *"))
		s.pass(90 * time.Minute)
		s.ran("sync 2000-01-01 01:00:00")
	})
}

func TestAttemptsOfTheJournal(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	run := func(job, status string, ago time.Duration) journal.Run {
		return journal.Run{Job: job, Status: status, StartedAt: now.Add(-ago), FinishedAt: now.Add(-ago + time.Hour)}
	}
	got := Attempts([]journal.Run{
		run("sync", journal.OK, 3*time.Hour), // it ended last, and the slots within it were skipped
		run("sync", journal.Skipped, time.Hour),
		run("sync", journal.Skipped, 2*time.Hour),
		run("", journal.OK, time.Minute),
		run("verify", journal.Crashed, 9*day),
		run("alerts", journal.OK, -300*day),
		run("alerts", journal.Failed, day),
		run("violations", journal.OK, -day),
		run("policy_stats", journal.OK, -time.Second),
	}, now)
	want := map[string]time.Time{
		"sync": now.Add(-time.Hour), "verify": now.Add(-9 * day), "alerts": now, "violations": now, "policy_stats": now,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// jittered runs a job with jitter for so long and returns how late its runs were.
func jittered(s *stage, text string, jitter, d time.Duration) (late []time.Duration) {
	sync := s.job("sync", text)
	sync.Jitter = jitter
	s.begin(s.attempted(0, "sync"), sync)
	s.pass(d)
	slot := sync.Plan.Next(moment(s.t, "2000-01-01T00:00:00Z"))
	for _, at := range s.at["sync"] {
		late = append(late, at.Sub(slot))
		slot = sync.Plan.Next(slot)
	}
	return late
}

func TestJitterShiftsTheStartAndNotTheSlot(t *testing.T) {
	onStage(t, func(s *stage) {
		s.random, s.blind = nil, true
		late := jittered(s, "@every 1h", 20*time.Minute, 1000*time.Hour+30*time.Minute)
		var sum, most time.Duration
		for _, d := range late {
			if d < 0 || d > 20*time.Minute {
				t.Fatalf("a run began %v after its slot", d)
			}
			sum, most = sum+d, max(most, d)
		}
		mean := sum / time.Duration(len(late))
		if len(late) != 1000 || mean < 9*time.Minute || mean > 11*time.Minute || most < 19*time.Minute {
			t.Errorf("%d runs, %v late on average, %v at most; want 1000, 10m and almost 20m", len(late), mean, most)
		}
		s.skipped()
	})
}

func TestJitterAloneMakesNoSlotSkipped(t *testing.T) {
	onStage(t, func(s *stage) {
		s.random, s.blind = nil, true
		for _, d := range jittered(s, "@every 5m", time.Hour, 100*time.Hour) {
			if d > 150*time.Second {
				t.Fatalf("a run began %v after its slot", d)
			}
		}
		s.skipped()
	})
}

func TestJitterOfARunThatCatchesUpIsShort(t *testing.T) {
	onStage(t, func(s *stage) {
		s.random = func(most time.Duration) time.Duration { return most }
		sync := s.job("sync", "0 * * * *")
		sync.Jitter = 20 * time.Minute
		s.begin(s.attempted(5*day, "sync"), sync)
		if next := s.State()[0].Next; !next.Equal(moment(t, "2000-01-01T00:01:00Z")) || s.State()[0].Waiting {
			t.Errorf("while its jitter passes, it is said to run at %s", next)
		}
		s.pass(59 * time.Second)
		s.ran()
		s.pass(time.Second)
		s.ran("sync 1999-12-27 01:00:00 catch-up")
	})
}

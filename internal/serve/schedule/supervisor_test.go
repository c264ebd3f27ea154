package schedule

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/flashback-sync/flashback-sync/internal/journal"
	"github.com/flashback-sync/flashback-sync/internal/status"
)

const day = 24 * time.Hour

func TestTheFirstTime(t *testing.T) {
	onStage(t, func(s *stage) {
		s.begin(nil, s.job("sync", "0 2 * * *"), s.job("alerts", "@every 1h"), s.job("verify", "0 3 * * *"))
		s.pass(30 * time.Minute)
		s.ran("sync 2000-01-01 00:00:00 catch-up", "alerts 2000-01-01 00:00:00 catch-up")
		s.pass(3 * time.Hour)
		s.ran("alerts 2000-01-01 01:00:00", "sync 2000-01-01 02:00:00", "alerts 2000-01-01 02:00:00", "alerts 2000-01-01 03:00:00", "verify 2000-01-01 03:00:00")
		s.skipped()
	})
}

func TestYearsOfSlotsRunOnceEach(t *testing.T) {
	onStage(t, func(s *stage) {
		s.blind = true
		s.took["sync"] = 40 * time.Minute
		sync := s.job("sync", "30 2 * * *")
		sync.Plan = plan(t, "30 2 * * *", "Europe/Berlin")
		s.begin(s.attempted(time.Minute, "sync"), sync)
		s.pass(20 * 366 * day)
		want := sync.Plan.Next(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC))
		for _, at := range s.at["sync"] {
			if !at.Equal(want) {
				t.Fatalf("a run began at %s, want %s", at, want)
			}
			want = sync.Plan.Next(want)
		}
		if n := len(s.at["sync"]); n != 20*366 {
			t.Errorf("%d runs in %d days", n, 20*366)
		}
		s.skipped()
	})
}

func TestDowntimeOfAnyLengthIsOneRun(t *testing.T) {
	for _, down := range []time.Duration{time.Hour, 25 * time.Hour, 8 * day, 60 * day, 9 * 365 * day} {
		onStage(t, func(s *stage) {
			sync, verify := s.job("sync", "15 * * * *"), s.job("verify", "30 23 * * *")
			went := s.clock().Add(-down)
			s.begin(s.attempted(down, "sync", "verify"), sync, verify)
			s.pass(10 * time.Minute)
			s.ran("sync "+sync.Plan.Next(went).Format(time.DateTime)+" catch-up", "verify "+verify.Plan.Next(went).Format(time.DateTime)+" catch-up")
			s.pass(time.Hour)
			s.ran("sync 2000-01-01 00:15:00")
			s.skipped()
		})
	}
}

func TestNoSlotMissedIsNothingToCatchUpWith(t *testing.T) {
	onStage(t, func(s *stage) {
		s.begin(s.attempted(21*time.Hour, "sync", "verify"), s.job("sync", "0 2 * * *"), s.job("verify", "0 3 * * 0"))
		s.pass(90 * time.Minute)
		s.ran()
	})
}

func TestAMachineThatSleptCatchesUpOnce(t *testing.T) {
	onStage(t, func(s *stage) {
		s.begin(s.attempted(0, "sync", "verify"), s.job("sync", "0 * * * *"), s.job("verify", "0 3 * * *"))
		s.pass(90 * time.Minute)
		s.ran("sync 2000-01-01 01:00:00")
		s.sleep(3*day + 10*time.Minute)
		s.pass(10 * time.Second)
		s.ran("sync 2000-01-01 02:00:00 catch-up", "verify 2000-01-01 03:00:00 catch-up")
		s.pass(time.Hour)
		s.ran("sync 2000-01-04 02:00:00")
		s.skipped()
	})
}

func TestASlotWithinARunOfTheSameJobIsSkipped(t *testing.T) {
	onStage(t, func(s *stage) {
		s.took["sync"] = 12 * time.Minute
		s.begin(s.attempted(0, "sync"), s.job("sync", "@every 5m"))
		s.pass(31 * time.Minute)
		s.ran("sync 2000-01-01 00:05:00", "sync 2000-01-01 00:20:00")
		slot := time.Date(2000, 1, 1, 0, 10, 0, 0, time.UTC)
		want := journal.Run{
			RunID: "skipped-sync-20000101T001000Z", Command: "sync", Job: "sync", Status: journal.Skipped,
			StartedAt: slot, FinishedAt: slot, ExitCode: -1, Error: "the run before was still under way",
		}
		if diff := cmp.Diff(want, s.slots[0]); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
		s.skipped("sync 2000-01-01 00:10:00: "+stillRuns, "sync 2000-01-01 00:15:00: "+stillRuns,
			"sync 2000-01-01 00:25:00: "+stillRuns, "sync 2000-01-01 00:30:00: "+stillRuns)
	})
}

func TestAnotherJobWaitsForItsTurn(t *testing.T) {
	onStage(t, func(s *stage) {
		s.took["verify"] = 150 * time.Minute
		s.begin(s.attempted(0, "sync", "alerts", "verify"), s.job("alerts", "30 1 * * *"), s.job("sync", "0 * * * *"), s.job("verify", "50 0 * * *"))
		s.pass(85 * time.Minute)
		want := []status.Job{
			{Name: "alerts", Schedule: "30 1 * * *", Timezone: "UTC", Next: moment(t, "2000-01-01T01:30:00Z")},
			{Name: "sync", Schedule: "0 * * * *", Timezone: "UTC", Next: moment(t, "2000-01-01T02:00:00Z"), Waiting: true},
			{Name: "verify", Schedule: "50 0 * * *", Timezone: "UTC", Next: moment(t, "2000-01-02T00:50:00Z"), Running: true},
		}
		if diff := cmp.Diff(want, s.State()); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
		s.pass(2 * time.Hour)
		s.ran("verify 2000-01-01 00:50:00", "sync 2000-01-01 01:00:00", "alerts 2000-01-01 01:30:00")
		s.skipped("sync 2000-01-01 02:00:00: "+stillWaits, "sync 2000-01-01 03:00:00: "+stillWaits)
	})
}

func TestWhileAnotherInstanceRunsTheSlotIsSkipped(t *testing.T) {
	onStage(t, func(s *stage) {
		s.code["sync"] = ExitLocked
		s.begin(s.attempted(0, "sync"), s.job("sync", "0 * * * *"))
		s.pass(150 * time.Minute)
		s.ran("sync 2000-01-01 01:00:00", "sync 2000-01-01 02:00:00")
		s.skipped("sync 2000-01-01 01:00:00: "+otherRuns, "sync 2000-01-01 02:00:00: "+otherRuns)
	})
}

func TestStoppingWaitsForTheRunUnderWay(t *testing.T) {
	onStage(t, func(s *stage) {
		s.took["sync"] = time.Hour
		s.begin(nil, s.job("sync", "@daily"), s.job("alerts", "@daily"))
		s.pass(time.Minute)
		s.stop()
		start := time.Now()
		<-s.returned
		if took := time.Since(start); took != time.Second {
			t.Errorf("it returned after %v, want the second that the run takes to stop", took)
		}
		s.ran("sync 2000-01-01 00:00:00 catch-up") // and no other
	})
}

func TestStoppingWithNothingUnderWayIsImmediate(t *testing.T) {
	onStage(t, func(s *stage) {
		s.begin(s.attempted(0, "sync"), s.job("sync", "@daily"))
		start := time.Now()
		s.stop()
		<-s.returned
		if took := time.Since(start); took != 0 {
			t.Errorf("it returned after %v", took)
		}
		s.ran()
	})
}

func TestNothingBeginsOnceItIsStopped(t *testing.T) {
	onStage(t, func(s *stage) {
		ctx, stop := context.WithCancel(s.t.Context())
		stop()
		New([]Job{s.job("sync", "@daily")}, nil, s.options).Run(ctx)
		s.ran()
	})
}

func TestTheLoopBeatsWhileARunIsUnderWay(t *testing.T) {
	onStage(t, func(s *stage) {
		s.took["sync"] = 3 * time.Hour
		s.begin(nil, s.job("sync", "@daily"))
		s.pass(time.Hour)
		s.stop() // the run needs a second to stop, so this is the last
		s.pass(time.Minute)
		for i := 1; i < len(s.beats); i++ {
			if pause := s.beats[i].Sub(s.beats[i-1]); pause > 5*time.Second {
				t.Fatalf("no beat for %v", pause)
			}
		}
		if n := len(s.beats); n < 720 || n > 800 {
			t.Errorf("%d beats in an hour", n)
		}
	})
}

func TestALoopThatHangsDoesNotBeat(t *testing.T) {
	onStage(t, func(s *stage) {
		hung := make(chan struct{})
		s.options.Skipped = func(journal.Run) { <-hung }
		s.took["sync"] = 3 * time.Hour
		s.begin(s.attempted(0, "sync"), s.job("sync", "0 * * * *"))
		s.pass(10 * time.Hour)
		if last := s.beats[len(s.beats)-1]; last.After(moment(t, "2000-01-01T02:00:00Z")) {
			t.Errorf("a beat at %s, after the loop hung", last)
		}
		close(hung)
	})
}

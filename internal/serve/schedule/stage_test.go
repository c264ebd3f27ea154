package schedule

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flashback-sync/flashback-sync/internal/journal"
)

// stage is a supervisor in a bubble of synctest, whose time begins on Saturday,
// 1 January 2000, 00:00 UTC. Its clock can be set.
type stage struct {
	t       *testing.T
	options Options
	random  func(most time.Duration) time.Duration // nil: that of New
	took    map[string]time.Duration               // how long a job's run takes; a second if there is none
	code    map[string]int                         // how it ends
	stop    context.CancelFunc
	blind   bool // the clock is looked at when something is due, and not meanwhile
	// returned is closed when the loop has ended.
	returned chan struct{}
	*Supervisor

	mu    sync.Mutex
	ahead time.Duration          // of the clock of time
	begun []string               // "job slot", with " catch-up"
	at    map[string][]time.Time // when a job's runs began, by our clock
	slots []journal.Run          // that were skipped
	beats []time.Time
	busy  int // how many runs are under way
}

func onStage(t *testing.T, f func(s *stage)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := &stage{t: t, took: map[string]time.Duration{}, code: map[string]int{}, at: map[string][]time.Time{}}
		s.options = Options{Run: s.run, Skipped: s.skip, Beat: s.beat}
		s.random = func(time.Duration) time.Duration { return 0 }
		f(s)
		if s.stop != nil {
			s.stop()
			<-s.returned
		}
	})
}

// begin starts the loop.
func (s *stage) begin(attempts map[string]time.Time, jobs ...Job) {
	var ctx context.Context
	ctx, s.stop = context.WithCancel(s.t.Context())
	s.Supervisor = New(jobs, attempts, s.options)
	s.Supervisor.now = func() time.Time { return s.clock().Round(0).UTC() }
	if s.random != nil {
		s.Supervisor.random = s.random
	}
	if s.blind {
		s.lookEvery = day
	}
	s.returned = make(chan struct{})
	go func() { defer close(s.returned); s.Run(ctx) }()
	synctest.Wait()
}

func (s *stage) clock() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.Now().Add(s.ahead)
}

// pass lets time pass.
func (s *stage) pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// sleep is the machine asleep: the clock continues and timers do not.
func (s *stage) sleep(d time.Duration) {
	s.mu.Lock()
	s.ahead += d
	s.mu.Unlock()
}

func (s *stage) run(ctx context.Context, turn Turn) Outcome {
	s.mu.Lock()
	if s.busy++; s.busy > 1 {
		s.t.Errorf("%d runs at a time", s.busy)
	}
	job := turn.Job.Name
	text := job + " " + turn.Slot.Format(time.DateTime)
	if turn.CatchUp {
		text += " catch-up"
	}
	s.begun = append(s.begun, text)
	s.at[job] = append(s.at[job], time.Now().Add(s.ahead).Round(0).UTC())
	took, known := s.took[job]
	s.mu.Unlock()
	if !known {
		took = time.Second
	}
	outcome := Outcome{ExitCode: s.code[job]}
	select {
	case <-time.After(took):
	case <-ctx.Done():
		time.Sleep(time.Second) // it stops cleanly
		outcome.ExitCode = 143
	}
	s.mu.Lock()
	s.busy--
	s.mu.Unlock()
	return outcome
}

func (s *stage) skip(run journal.Run) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.slots = append(s.slots, run)
}

func (s *stage) beat() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.beats = append(s.beats, time.Now())
}

// ran takes what has begun since the last call.
func (s *stage) ran(want ...string) {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Equal(s.begun, want) {
		s.t.Errorf("ran\n  %s\nwant\n  %s", strings.Join(s.begun, "\n  "), strings.Join(want, "\n  "))
	}
	s.begun = nil
}

// skipped takes what was skipped since the last call, as "job slot: why".
func (s *stage) skipped(want ...string) {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	var got []string
	for _, run := range s.slots {
		got = append(got, fmt.Sprintf("%s %s: %s", run.Job, run.StartedAt.Format(time.DateTime), run.Error))
	}
	if !slices.Equal(got, want) {
		s.t.Errorf("skipped\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
	s.slots = nil
}

func (s *stage) job(name, text string) Job {
	command := "sync"
	if name == "verify" {
		command = name
	}
	return Job{Name: name, Command: command, Plan: plan(s.t, text, "UTC"), Eager: name != "verify"}
}

// attempted says that jobs were attempted so long ago.
func (s *stage) attempted(ago time.Duration, names ...string) map[string]time.Time {
	attempts := map[string]time.Time{}
	for _, name := range names {
		attempts[name] = s.clock().Add(-ago)
	}
	return attempts
}

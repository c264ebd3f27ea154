// Package schedule decides when a job runs, and runs it: the supervisor of
// `serve`. It knows neither HTTP nor DuckDB, so that nothing a run does to a
// file can take it down: a run is a process of its own (Child).
//
//   - Plan: an expression and a time zone; which slots it has, also when clocks
//     change.
//   - Supervisor: one loop that reads the wall clock and starts what is due.
//   - Child: a run as a child process.
//
// Its invariants: a slot leads to one run at most. Of all jobs one runs at a
// time, since they work on one data_dir. However long nothing looked at the
// clock, a job has one run to catch up with. The loop waits for nothing that a
// run does, so it beats as long as it works.
package schedule

import (
	"context"
	"maps"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/flashback-sync/flashback-sync/internal/crash"
	"github.com/flashback-sync/flashback-sync/internal/journal"
)

// ExitLocked is the exit code of a run that did nothing, since another instance works
// on the data_dir.
const ExitLocked = 7

// Why a slot was skipped, for the journal.
const (
	stillRuns  = "the run before was still under way"
	stillWaits = "the run before had not begun yet"
	otherRuns  = "another instance was running"
)

// lookEvery is how often the wall clock is read at least, since timers stop
// while the machine sleeps.
const lookEvery = 5 * time.Second

// Options are what a Supervisor calls.
type Options struct {
	// Run runs a job to its end, and stops it early if the context ends. It is
	// called for one turn at a time.
	Run func(context.Context, Turn) Outcome
	// Skipped is called with every slot that is skipped. The loop waits for it.
	Skipped func(journal.Run)
	// Beat is called by the loop every few seconds, also while a run is under way.
	Beat func()
}

// Supervisor runs jobs when they are due. Make it with New, call Run once. State
// and Reload may be called from anywhere, at any time.
type Supervisor struct {
	options   Options
	now       func() time.Time
	random    func(most time.Duration) time.Duration // from 0 to most
	lookEvery time.Duration
	ended     chan Outcome

	mu       sync.Mutex
	jobs     []*job
	attempts map[string]time.Time // of jobs that are not in jobs
	running  *Turn                // the turn under way, its job as it was when it began; nil if none is
}

// New makes a supervisor of jobs, which it starts in this order when several are
// due at once. Attempts is when each was last attempted, see Attempts: if it has
// missed a slot since, it runs at once.
func New(jobs []Job, attempts map[string]time.Time, options Options) *Supervisor {
	s := &Supervisor{
		options: options, lookEvery: lookEvery, ended: make(chan Outcome), attempts: map[string]time.Time{},
		now:    func() time.Time { return time.Now().Round(0).UTC() },              // without a monotonic part, which would hide that the clock was set
		random: func(most time.Duration) time.Duration { return rand.N(most + 1) }, //nolint:gosec // no secret hangs on it
	}
	maps.Copy(s.attempts, attempts)
	for _, j := range jobs {
		s.jobs = append(s.jobs, &job{Job: j, handled: s.attempts[j.Name]})
	}
	return s
}

// Run is the loop. It returns when the context has ended and the run that was
// under way then, which is stopped, has come to its end.
func (s *Supervisor) Run(ctx context.Context) {
	stop := ctx.Done()
	for stop != nil || s.busy() {
		s.options.Beat()
		pause := s.lookEvery
		if ctx.Err() == nil {
			pause = s.look(ctx)
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case outcome := <-s.ended:
			s.finish(outcome)
		case <-stop:
			stop = nil
		}
		timer.Stop()
	}
}

// look finds which slots have come, begins what is due if nothing is under way, and
// returns for how long nothing will happen by itself.
func (s *Supervisor) look(ctx context.Context) (pause time.Duration) {
	now := s.now()
	s.mu.Lock()
	skipped := s.arrivals(now)
	begun := s.begin(now)
	pause = s.pause(now)
	s.mu.Unlock()
	if begun != nil {
		go func() {
			defer crash.Exit()
			s.ended <- s.options.Run(ctx, *begun) // Run receives it in any case
		}()
	}
	for _, run := range skipped {
		s.options.Skipped(run)
	}
	return pause
}

// finish ends the turn under way.
func (s *Supervisor) finish(outcome Outcome) {
	s.mu.Lock()
	ended := s.running
	s.running = nil
	s.mu.Unlock()
	if outcome.ExitCode == ExitLocked {
		s.options.Skipped(ended.Job.skipped(ended.Slot, otherRuns))
	}
}

func (s *Supervisor) busy() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.running != nil
}

// runs reports whether a job is under way, also one that was replaced meanwhile.
func (s *Supervisor) runs(name string) bool { return s.running != nil && s.running.Job.Name == name }

// arrivals lets the turns that have come wait, and returns those that cannot.
func (s *Supervisor) arrivals(now time.Time) (skipped []journal.Run) {
	for _, j := range s.jobs {
		turn := j.arrive(now)
		switch {
		case turn == nil:
		case s.runs(j.Name):
			skipped = append(skipped, j.skipped(turn.Slot, stillRuns))
		case j.waiting != nil:
			skipped = append(skipped, j.skipped(turn.Slot, stillWaits))
		default:
			j.wait(*turn, now, s.random)
		}
		if j.waiting != nil {
			j.waiting.limit(now)
		}
	}
	return skipped
}

// begin takes the turn that has been due the longest, if nothing is under way.
func (s *Supervisor) begin(now time.Time) *Turn {
	if s.running != nil {
		return nil
	}
	var first *job
	for _, j := range s.jobs {
		if w := j.waiting; w != nil && !w.due.After(now) && (first == nil || w.due.Before(first.waiting.due)) {
			first = j
		}
	}
	if first == nil {
		return nil
	}
	turn := first.waiting.Turn
	turn.Job = first.Job // as it is by now
	s.running = &turn
	first.waiting = nil
	return s.running
}

// pause is the time to the next slot, or to the next turn that can begin.
func (s *Supervisor) pause(now time.Time) time.Duration {
	pause := s.lookEvery
	for _, j := range s.jobs {
		pause = min(pause, j.Plan.Next(j.handled).Sub(now))
		if j.waiting != nil && s.running == nil {
			pause = min(pause, j.waiting.due.Sub(now))
		}
	}
	return max(pause, time.Millisecond)
}

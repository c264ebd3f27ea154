package schedule

import (
	"time"

	"github.com/flashback-sync/flashback-sync/internal/journal"
	"github.com/flashback-sync/flashback-sync/internal/status"
)

const (
	// slack is how far a clock may be off without being taken for one that was
	// set: a slot that is found later was missed, an attempt that is further
	// ahead was made by a clock that was wrong.
	slack = time.Minute
	// catchUpWithin bounds the jitter of a run that catches up. It is late already.
	catchUpWithin = time.Minute
)

// Job is what the schedule runs.
type Job struct {
	Name    string // sync, a stream's name, or verify
	Command string // what the journal calls the command: sync or verify
	Plan    Plan
	// Jitter is how much later than its slot a run starts at most, at random. It
	// is never more than half of the time to the next slot, and at most a minute
	// for a run that catches up.
	Jitter time.Duration
	// Eager jobs that were never attempted run at once. Others wait for a slot.
	Eager bool
	// Arguments are those of the process that does the job.
	Arguments []string
}

// Turn is one run that is due.
type Turn struct {
	Job  Job
	Slot time.Time // which slot it is for, in UTC
	// CatchUp is set if the slot was missed: nothing ran the schedule then.
	// There is one such run for all slots that were.
	CatchUp bool
}

// job is a job and its next turn.
type job struct {
	Job
	// handled is the last slot that led to a run or was skipped, or the time of
	// the last attempt that the journal knows; the next slot is the first after
	// it. It is zero for a job that was never attempted.
	handled time.Time
	waiting *waiting // nil if nothing is due
}

// waiting is a turn that has not begun.
type waiting struct {
	Turn
	due    time.Time     // the slot and its jitter
	within time.Duration // the most that the jitter can be
}

// arrive returns the turn for the slots that have come since the last look, or
// nil if none has. However many there are, they are one turn.
func (j *job) arrive(now time.Time) *Turn {
	switch {
	case j.handled.IsZero() && j.Eager:
		j.handled = now
		return &Turn{Job: j.Job, Slot: now, CatchUp: true}
	case j.handled.IsZero(), j.handled.After(now.Add(slack)): // new, or the clock was set back
		j.handled = now
	}
	slot := j.Plan.Next(j.handled)
	if slot.After(now) {
		return nil
	}
	j.handled = slot
	if !j.Plan.Next(slot).After(now) {
		j.handled = now
	}
	return &Turn{Job: j.Job, Slot: slot, CatchUp: now.Sub(slot) > slack}
}

// wait lets a turn wait for its jitter, and for its turn.
func (j *job) wait(turn Turn, now time.Time, random func(most time.Duration) time.Duration) {
	start, most := turn.Slot, min(j.Jitter, j.Plan.Next(j.handled).Sub(j.handled)/2)
	if turn.CatchUp {
		start, most = now, min(most, catchUpWithin)
	}
	j.waiting = &waiting{Turn: turn, due: start.Add(random(most)), within: most}
}

// limit keeps a clock that was set back from delaying a turn by more than its
// jitter.
func (w *waiting) limit(now time.Time) {
	if latest := now.Add(w.within); w.due.After(latest) {
		w.due = latest
	}
}

// skipped is the journal's record of a slot that was not run. Its id is made of the
// slot, so that it is recorded once.
func (j *Job) skipped(slot time.Time, why string) journal.Run {
	return journal.Run{
		RunID:   "skipped-" + j.Name + "-" + slot.UTC().Format("20060102T150405Z"),
		Command: j.Command, Job: j.Name, Status: journal.Skipped,
		StartedAt: slot.UTC(), FinishedAt: slot.UTC(), ExitCode: -1, Error: why,
	}
}

// Attempts finds in the journal when each job was last attempted; a skipped slot
// counts, too. An attempt in the future was recorded by a clock that was wrong, and
// counts as one made now.
func Attempts(runs []journal.Run, now time.Time) map[string]time.Time {
	last := map[string]time.Time{}
	for i := range runs {
		name, at := runs[i].Job, runs[i].StartedAt
		if at.After(now) {
			at = now
		}
		if name != "" && at.After(last[name]) {
			last[name] = at
		}
	}
	return last
}

// State returns the state of the jobs, in their order. Next is a job's next slot, or
// the end of the jitter of the one that has come.
func (s *Supervisor) State() (states []status.Job) {
	now := s.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, j := range s.jobs {
		state := status.Job{
			Name: j.Name, Schedule: j.Plan.String(), Timezone: j.Plan.Timezone(),
			Next: j.next(now), Running: s.runs(j.Name),
		}
		if j.waiting != nil && j.waiting.due.After(now) {
			state.Next = j.waiting.due
		} else {
			state.Waiting = j.waiting != nil
		}
		states = append(states, state)
	}
	return states
}

// next is the next slot; a job that is new is due, or counts from now.
func (j *job) next(now time.Time) time.Time {
	switch {
	case j.handled.IsZero() && j.Eager:
		return now
	case j.handled.IsZero():
		return j.Plan.Next(now)
	}
	return j.Plan.Next(j.handled)
}

// Reload replaces the jobs. The run under way continues. A job whose plan is the
// same keeps its next slot, and any that waits for its turn keeps it. A job that
// is new or has another plan has its first slot from now on: what the new plan
// would have had before is nothing to catch up with. As with New, an eager job
// that was never attempted is due.
func (s *Supervisor) Reload(jobs []Job) {
	now := s.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	before := map[string]*job{}
	for _, j := range s.jobs {
		before[j.Name] = j
		if !j.handled.IsZero() {
			s.attempts[j.Name] = j.handled
		}
	}
	s.jobs = nil
	for _, with := range jobs {
		after, old := &job{Job: with}, before[with.Name]
		if old != nil {
			after.waiting, after.handled = old.waiting, old.handled
		}
		if samePlan := old != nil && old.Plan.same(with.Plan); !samePlan && !s.attempts[with.Name].IsZero() {
			after.handled = now
		}
		s.jobs = append(s.jobs, after)
	}
}

package schedule

import (
	"time"

	"github.com/flashback-sync/flashback-sync/internal/status"
)

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

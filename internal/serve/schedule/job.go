package schedule

import (
	"time"

	"github.com/flashback-sync/flashback-sync/internal/journal"
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

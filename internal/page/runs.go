package page

import (
	"maps"
	"slices"
	"strings"

	"github.com/flashback-sync/flashback-sync/internal/chart"
	"github.com/flashback-sync/flashback-sync/internal/journal"
	"github.com/flashback-sync/flashback-sync/internal/span"
)

const (
	mostRuns = 50 // of a page; the journal has more
	mostOpen = 20 // of these are not folded
)

// runs is the newest part of the journal.
type runs struct {
	Lines []line
	Rest  []line // folded
	More  string // what is left out
	Chart *chart.Columns
}

// line is a run, or slots that were skipped one after the other.
type line struct {
	*journal.Run
	Name     string
	Tone     string
	Mark     string // the glyph of the status
	Started  *moment
	Took     string
	New      string
	Changed  string
	Requests string
	Answers  string // by status, if not all are 200, and what was asked again
	Same     bool   // the error is that of the line above
	Memory   string
	Skipped  *skipped
}

type skipped struct {
	Slots    string
	Names    string
	From, To *moment
	Why      []string
}

func (v *view) runs() *runs {
	out := &runs{}
	var shown []*journal.Run
	all := v.Status.Runs
	for len(all) > 0 && len(shown) < mostRuns {
		if n := skips(all); n > 0 {
			out.Lines = append(out.Lines, line{Skipped: v.skipped(all[:n])})
			all = all[n:]
			continue
		}
		l := v.line(&all[0])
		l.Same = len(shown) > 0 && l.Error != "" && shown[len(shown)-1].Error == l.Error && shown[len(shown)-1].Hint == l.Hint
		out.Lines = append(out.Lines, l)
		shown = append(shown, &all[0])
		all = all[1:]
	}
	if len(all) > 0 {
		out.More = count(int64(len(all)), "older run")
	}
	if most := mostOpen; len(out.Lines) > most {
		out.Lines, out.Rest = out.Lines[:most], out.Lines[most:]
	}
	out.Chart = durations(shown)
	return out
}

func skips(all []journal.Run) (n int) {
	for n < len(all) && all[n].Status == journal.Skipped {
		n++
	}
	return n
}

// skipped sums up slots; the newest come first.
func (v *view) skipped(all []journal.Run) *skipped {
	s := &skipped{Slots: count(int64(len(all)), "slot"), From: v.moment(all[len(all)-1].StartedAt), To: v.moment(all[0].StartedAt)}
	var names []string
	for i := range all {
		if name := named(&all[i]); !slices.Contains(names, name) {
			names = append(names, name)
		}
		if why := all[i].Error; why != "" && !slices.Contains(s.Why, why) && len(s.Why) < 3 {
			s.Why = append(s.Why, why)
		}
	}
	s.Names = strings.Join(names, ", ")
	if len(all) == 1 {
		s.To = nil
	}
	return s
}

func (v *view) line(r *journal.Run) line {
	var sum journal.Stream
	for _, s := range r.Streams {
		sum.Inserted += s.Inserted
		sum.Updated += s.Updated
	}
	l := line{Run: r, Name: named(r), Tone: tone(r.Status), Mark: mark(r.Status), Started: v.moment(r.StartedAt), Took: span.Words(max(0, r.Took())), Requests: comma(r.Sent())}
	if len(r.Streams) > 0 {
		l.New, l.Changed = comma(sum.Inserted), comma(sum.Updated)
	}
	if r.PeakBytes > 0 {
		l.Memory = size(r.PeakBytes)
	}
	if r.Sent() != r.Requests["200"] || r.Retries > 0 {
		l.Answers = answers(r)
	}
	return l
}

// answers tells how requests ended, if not all of them well.
func answers(r *journal.Run) string {
	var words []string
	for _, s := range slices.Sorted(maps.Keys(r.Requests)) {
		name := s
		if s == "none" {
			name = "no answer"
		}
		words = append(words, comma(r.Requests[s])+" × "+name)
	}
	if r.Retries > 0 {
		retries := comma(r.Retries) + " sent again"
		if r.Waited > 0 {
			retries += " after waiting " + span.Words(r.Waited)
		}
		words = append(words, retries)
	}
	return strings.Join(words, ", ")
}

// job is a job of the schedule.
type job struct {
	Name, Schedule, Timezone string
	State                    string // running, waiting or ""
	Next                     *moment
	Last                     *line
}

func (v *view) jobs() (all []job) {
	for _, j := range v.Status.Jobs {
		out := job{Name: j.Name, Schedule: j.Schedule, Timezone: j.Timezone, Next: v.moment(j.Next)}
		switch {
		case j.Running:
			out.State = "running"
		case j.Waiting:
			out.State = "waiting for another job"
		}
		if last := v.Last(j.Name); last != nil {
			l := v.line(last)
			out.Last = &l
		}
		all = append(all, out)
	}
	return all
}

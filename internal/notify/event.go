package notify

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/flashback-sync/flashback-sync/internal/journal"
	"github.com/flashback-sync/flashback-sync/internal/span"
	"github.com/flashback-sync/flashback-sync/internal/status"
)

// event is something to report. Its texts are escaped.
type event struct {
	colour string
	title  string // what, in a few words
	text   string // what, since when and what to do, in one sentence
	fields []field
}

type field struct {
	Title string `json:"title"`
	Value string `json:"value"`
	Short bool   `json:"short"`
}

const (
	red    = "#c0392b"
	orange = "#d68910"
	green  = "#2e8b57"
)

// afterRun records how a job's run ended. A run of all streams that is good ends what
// was wrong with the jobs of single ones, too.
func (n *Notifier) afterRun(s *state, run *journal.Run) (events []event) {
	now := n.now()
	names := []string{run.Job}
	for _, name := range slices.Sorted(maps.Keys(s.Jobs)) {
		if run.Covers(name) {
			names = append(names, name)
		}
	}
	for _, name := range names {
		what, is := s.Jobs.update(name, !run.Good(), run.FinishedAt, now)
		job := escape(name, mostName)
		switch what {
		case began:
			events = append(events, failure(run, job+" "+verbOf(run), " at "+moment(run.FinishedAt), nil))
		case lasts:
			events = append(events, failure(run, job+" "+verbOf(run)+" again", ", it has not been good since "+moment(is.Since), since("Not good", is, now)))
		case over:
			events = append(events, event{
				colour: green, title: job + " is good again", text: fmt.Sprintf("the job %s is good again, it was not since %s", job, moment(is.Since)),
				fields: since("Not good", is, now),
			})
		case same:
		}
	}
	return events
}

func failure(run *journal.Run, title, when string, fields []field) event {
	e := event{colour: red, title: title, text: fmt.Sprintf("the job %s%s; %s", title, when, escape(hintOf(run), mostError))}
	if run.Status == journal.Partial && run.Missing == 0 {
		e.colour = orange
	}
	if run.Error != "" {
		e.fields = append(e.fields, field{Title: "Error", Value: quote(run.Error, mostError)})
	}
	e.fields = append(e.fields, fields...)
	if run.ExitCode >= 0 {
		e.fields = append(e.fields, field{Title: "Exit code", Value: fmt.Sprint(run.ExitCode), Short: true})
	}
	if run.RunID != "" {
		e.fields = append(e.fields, field{Title: "Run", Value: quote(run.RunID, mostName), Short: true})
	}
	return e
}

func verbOf(run *journal.Run) string {
	switch {
	case run.Status == journal.Crashed:
		return "was killed or crashed"
	case run.Status == journal.Partial && run.Missing > 0:
		return "found missing rows"
	case run.Status == journal.Partial:
		return "was not complete"
	}
	return "failed"
}

func hintOf(run *journal.Run) string {
	switch {
	case run.Hint != "":
		return run.Hint
	case run.Missing > 0:
		return "'flashback-sync repair' fetches what is missing"
	}
	return "look at the log of the run"
}

// afterCheck records which streams lag. A stream of which nothing is known changes nothing.
func (n *Notifier) afterCheck(st *state, s *status.Status) (events []event) {
	for _, name := range n.options.Streams {
		unread, known := s.Unread(name)
		if !known {
			continue
		}
		what, is := st.Streams.update(name, s.At.Sub(unread) > s.StaleAfter, unread.Add(s.StaleAfter), n.now())
		if what != same {
			state := "nothing newer than " + moment(unread) + " has been read"
			if s.Fresh(name) == nil {
				state = "it was never read completely, and its runs began at " + moment(unread)
			}
			events = append(events, n.ofStream(escape(name, mostName), what, state, is))
		}
	}
	for name := range st.Streams {
		if !slices.Contains(n.options.Streams, name) {
			delete(st.Streams, name) // it is no longer synced
		}
	}
	return events
}

func (n *Notifier) ofStream(name string, what transition, state string, is wrong) event {
	now := n.now()
	if what == over {
		return event{
			colour: green, title: name + " is fresh again",
			text:   fmt.Sprintf("the stream %s is fresh again, it was stale since %s", name, moment(is.Since)),
			fields: since("Stale", is, now),
		}
	}
	verb := "is"
	if what == lasts {
		verb = "is still"
	}
	return event{
		colour: red, title: fmt.Sprintf("%s %s stale", name, verb),
		text: fmt.Sprintf("the stream %s %s stale, %s; look at the last runs, and whether the scheduler runs",
			name, verb, state),
		fields: since("Stale", is, now),
	}
}

func moment(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }

// since says for how long something has been wrong.
func since(what string, is wrong, now time.Time) []field {
	return []field{{Title: what + " since", Value: fmt.Sprintf("%s (%s)", moment(is.Since), span.Ago(now, is.Since)), Short: true}}
}

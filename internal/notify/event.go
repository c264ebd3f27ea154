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

const (
	red    = "#c0392b"
	orange = "#d68910"
	green  = "#2e8b57"
)

// afterRun records how a job's run ended. A run of all streams that is good ends what
// was wrong with the jobs of single ones, too.
func (n *Notifier) afterRun(s *state, run *journal.Run) (events []attachment) {
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
			text := fmt.Sprintf("the job %s is good again, it was not since %s", job, moment(is.Since))
			events = append(events, attachment{Colour: green, Title: job + " is good again", Fallback: text, Fields: since("Not good", is, now)})
		case same:
		}
	}
	return events
}

func failure(run *journal.Run, title, when string, fields []field) attachment {
	e := attachment{Colour: red, Title: title, Fallback: fmt.Sprintf("the job %s%s; %s", title, when, escape(hintOf(run), mostError))}
	if run.Status == journal.Partial && run.Missing == 0 {
		e.Colour = orange
	}
	if run.Error != "" {
		e.Fields = append(e.Fields, field{Title: "Error", Value: quote(run.Error, mostError)})
	}
	e.Fields = append(e.Fields, fields...)
	if run.ExitCode >= 0 {
		e.Fields = append(e.Fields, field{Title: "Exit code", Value: fmt.Sprint(run.ExitCode), Short: true})
	}
	e.Fields = append(e.Fields, field{Title: "Run", Value: quote(run.RunID, mostName), Short: true})
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
func (n *Notifier) afterCheck(st *state, s *status.Status) (events []attachment) {
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

func (n *Notifier) ofStream(name string, what transition, state string, is wrong) attachment {
	e := attachment{Colour: red, Fields: since("Stale", is, n.now())}
	switch what {
	case over:
		e.Colour, e.Title = green, name+" is fresh again"
		e.Fallback = fmt.Sprintf("the stream %s, it was stale since %s", e.Title, moment(is.Since))
		return e
	case lasts:
		e.Title = name + " is still stale"
	default:
		e.Title = name + " is stale"
	}
	e.Fallback = fmt.Sprintf("the stream %s, %s; look at the last runs, and whether the scheduler runs", e.Title, state)
	return e
}

func moment(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }

// since says for how long something has been wrong.
func since(what string, is wrong, now time.Time) []field {
	return []field{{Title: what + " since", Value: fmt.Sprintf("%s (%s)", moment(is.Since), span.Ago(now, is.Since)), Short: true}}
}

package notify

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/flashback-sync/flashback-sync/internal/journal"
	"github.com/flashback-sync/flashback-sync/internal/span"
	"github.com/flashback-sync/flashback-sync/internal/status"
	"github.com/flashback-sync/flashback-sync/internal/visible"
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

// message is what Slack takes at an incoming webhook, and Mattermost, Rocket.Chat
// and Discord (at .../slack) take as well: a text, and attachments of the old kind.
type message struct {
	Text        string       `json:"text"`
	Attachments []attachment `json:"attachments"`
}

// attachment is something to report. Its texts are escaped.
type attachment struct {
	Colour   string   `json:"color"`
	Fallback string   `json:"fallback"` // what, since when and what to do, in one sentence
	Title    string   `json:"title"`    // what, in a few words
	Link     string   `json:"title_link,omitempty"`
	Fields   []field  `json:"fields"`
	Format   []string `json:"mrkdwn_in"` // where Slack shows backticks as such
}

type field struct {
	Title string `json:"title"`
	Value string `json:"value"`
	Short bool   `json:"short"`
}

// message describes the events: each in a sentence, for notifications, and in detail.
func (n *Notifier) message(events []attachment) []byte {
	m := message{Attachments: events}
	var sentences []string
	for i := range events {
		e := &events[i]
		sentences = append(sentences, "flashback-sync"+escaper.Replace(n.on())+": "+e.Fallback+".")
		e.Link, e.Format = n.options.Link, []string{"fields"}
	}
	m.Text = strings.Join(sentences, "\n")
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(m); err != nil { // plain values always marshal
		panic(err)
	}
	return out.Bytes()
}

// Bounds in characters of texts from outside.
const (
	mostName  = 80
	mostError = 1000
)

// clean makes one line of a text from outside: no control characters, none that
// change the direction of writing or show nothing, and not too many.
func clean(text string, most int) string {
	return visible.Short(strings.Join(strings.Fields(text), " "), most)
}

// escaper is for texts in messages: Slack's own three, and an @ that calls nobody.
// Slack reads <!channel> as a call, Mattermost and Discord @all and @everyone.
var escaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "@", "@\u200b")

// escape cleans a text for a message.
func escape(text string, most int) string { return escaper.Replace(clean(text, most)) }

// quote shows a text from outside as it is: between backticks nothing in it is
// taken for formatting or becomes a link with another name.
func quote(text string, most int) string {
	return "`" + strings.ReplaceAll(escape(text, most), "`", "'") + "`"
}

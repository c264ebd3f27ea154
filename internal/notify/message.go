package notify

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/flashback-sync/flashback-sync/internal/visible"
)

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

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

type attachment struct {
	Colour   string   `json:"color"`
	Fallback string   `json:"fallback"`
	Title    string   `json:"title"`
	Link     string   `json:"title_link,omitempty"`
	Fields   []field  `json:"fields"`
	Format   []string `json:"mrkdwn_in"` // where Slack shows backticks as such
}

// message describes the events: each in a sentence, for notifications, and in detail.
func (n *Notifier) message(events []event) []byte {
	var m message
	var sentences []string
	for _, e := range events {
		sentences = append(sentences, "flashback-sync"+escaper.Replace(n.on())+": "+e.text+".")
		m.Attachments = append(m.Attachments, attachment{
			Colour: e.colour, Fallback: e.text, Title: e.title, Link: n.options.Link, Fields: e.fields, Format: []string{"fields"},
		})
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

package notify

import (
	"bytes"
	"encoding/json"
	"strings"
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
func (a *Alarms) message(events []event) []byte {
	var m message
	var sentences []string
	for _, e := range events {
		sentences = append(sentences, "flashback-sync"+escaper.Replace(a.on())+": "+e.text+".")
		m.Attachments = append(m.Attachments, attachment{
			Colour: e.colour, Fallback: e.text, Title: e.title, Link: a.options.Link, Fields: e.fields, Format: []string{"fields"},
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

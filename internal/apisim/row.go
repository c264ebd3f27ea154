package apisim

import (
	stdjson "encoding/json"
	"slices"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Row is one record of either list endpoint, with the API's fields. Message
// belongs to alerts; Explanation, Severity and Block to violations. A nil
// ConversationID or Severity is sent as null; a nil LLMType, LLMModel, Host or
// Block is left out. Timestamp is UTC and has microseconds.
type Row struct {
	ID               string    `json:"id"`
	PolicyID         string    `json:"policyId"`
	PolicyName       string    `json:"policyName"`
	Timestamp        time.Time `json:"timestamp"`
	Message          string    `json:"message"`
	Explanation      string    `json:"explanation"`
	ConversationID   *string   `json:"conversationId"`
	RepoID           string    `json:"repoId"`
	RepoName         string    `json:"repoName"`
	UserID           string    `json:"userId"`
	UserName         string    `json:"userName"`
	RepoAIAPIKeyID   string    `json:"repoAiApiKeyId"`
	RepoAIAPIKeyName string    `json:"repoAiApiKeyName"`
	LLMType          *string   `json:"llmType,omitzero"`
	LLMModel         *string   `json:"llmModel,omitzero"`
	Host             *string   `json:"host,omitzero"`
	Severity         *string   `json:"severity"`
	Block            *bool     `json:"block,omitzero"`

	// Raw, if set, is sent instead of all the above, byte for byte. See
	// [Sim.AddRaw], which also fills the other fields as far as Raw has them.
	Raw []byte `json:"-"`
}

// alert and violation are a row without the fields of the other kind.
type alert struct {
	*Row
	Explanation *string `json:"explanation,omitzero"`
	Severity    *string `json:"severity,omitzero"`
	Block       *bool   `json:"block,omitzero"`
}

type violation struct {
	*Row
	Message *string `json:"message,omitzero"`
}

// appendJSON writes the row as the stream's list endpoint does.
func (r *Row) appendJSON(b []byte, stream Stream, digits Digits) []byte {
	if r.Raw != nil {
		return append(b, r.Raw...)
	}
	var row any = alert{Row: r}
	if stream == Violations {
		row = violation{Row: r}
	}
	return append(b, marshal(row, json.WithMarshalers(digits.marshalers()))...)
}

// marshal writes JSON as JavaScript does: only what must be is escaped, and invalid
// UTF-8 becomes U+FFFD.
func marshal(value any, options ...json.Options) []byte {
	b, err := json.Marshal(value, append(options, jsontext.AllowInvalidUTF8(true))...)
	if err != nil { // strings, numbers and booleans always marshal
		panic(err)
	}
	return b
}

// marshalers write times as JavaScript's toISOString does, with six digits where there
// is something to show in them.
func (d Digits) marshalers() *json.Marshalers {
	if d == HiddenMicroseconds {
		return hidingMarshalers
	}
	return showingMarshalers
}

var (
	hidingMarshalers = json.MarshalToFunc(func(e *jsontext.Encoder, t time.Time) error {
		return e.WriteToken(jsontext.String(t.Format("2006-01-02T15:04:05.000Z")))
	})
	showingMarshalers = json.MarshalToFunc(func(e *jsontext.Encoder, t time.Time) error {
		layout := "2006-01-02T15:04:05.000Z"
		if t.Nanosecond()%int(time.Millisecond) != 0 {
			layout = "2006-01-02T15:04:05.000000Z"
		}
		return e.WriteToken(jsontext.String(t.Format(layout)))
	})
)

// rowFromRaw reads what it can of a record whose JSON a test chose, so that
// filters and deletion by id work on it; what it cannot read stays zero.
func rowFromRaw(at time.Time, raw []byte) *Row {
	row := &Row{}
	_ = stdjson.Unmarshal(raw, row) // goes on after a field of another type
	row.Timestamp, row.Raw = at, slices.Clone(raw)
	return row
}

func (r *Row) clone() Row {
	c := *r
	c.Raw = slices.Clone(r.Raw)
	for _, p := range []**string{&c.ConversationID, &c.LLMType, &c.LLMModel, &c.Host, &c.Severity} {
		if *p != nil {
			*p = new(**p)
		}
	}
	if c.Block != nil {
		c.Block = new(*c.Block)
	}
	return c
}

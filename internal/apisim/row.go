package apisim

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"
	"unicode/utf8"
)

// Row is one record of either list endpoint, with the API's fields. Message
// belongs to alerts; Explanation, Severity and Block to violations. A nil
// ConversationID or Severity is sent as null; a nil LLMType, LLMModel, Host or
// Block is left out. Timestamp is UTC and has microseconds. Rows may share what the
// pointers point to: it is not to be changed.
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
	LLMType          *string   `json:"llmType"`
	LLMModel         *string   `json:"llmModel"`
	Host             *string   `json:"host"`
	Severity         *string   `json:"severity"`
	Block            *bool     `json:"block"`

	// Extra are further fields, as JSON without braces: those of a newer release of the API.
	Extra string `json:"-"`
	// Withheld rows are counted in totals and statistics, and never listed.
	Withheld bool `json:"-"`

	// Raw, if set, is sent instead of all the above, byte for byte. See
	// [Sim.AddRaw], which also fills the other fields as far as Raw has them.
	Raw []byte `json:"-"`
}

// appendJSON writes the row as the stream's list endpoint does.
func (r *Row) appendJSON(b []byte, stream Stream, digits Digits) []byte {
	if r.Raw != nil {
		return append(b, r.Raw...)
	}
	b = appendField(append(b, '{'), "id", &r.ID)
	b = appendField(b, "policyId", &r.PolicyID)
	b = appendField(b, "policyName", &r.PolicyName)
	b = append(b, `"timestamp":"`...)
	b = append(r.Timestamp.AppendFormat(b, digits.layout(r.Timestamp)), `",`...)
	if stream == Violations {
		b = appendField(b, "explanation", &r.Explanation)
	} else {
		b = appendField(b, "message", &r.Message)
	}
	b = appendNullable(b, "conversationId", r.ConversationID)
	b = appendField(b, "repoId", &r.RepoID)
	b = appendField(b, "repoName", &r.RepoName)
	b = appendField(b, "userId", &r.UserID)
	b = appendField(b, "userName", &r.UserName)
	b = appendField(b, "repoAiApiKeyId", &r.RepoAIAPIKeyID)
	b = appendField(b, "repoAiApiKeyName", &r.RepoAIAPIKeyName)
	b = appendField(b, "llmType", r.LLMType)
	b = appendField(b, "llmModel", r.LLMModel)
	b = appendField(b, "host", r.Host)
	if stream == Violations {
		b = appendNullable(b, "severity", r.Severity)
		if r.Block != nil {
			b = fmt.Appendf(b, `"block":%t,`, *r.Block)
		}
	}
	if r.Extra != "" {
		b = append(append(b, r.Extra...), ',')
	}
	b[len(b)-1] = '}' // in place of the last comma
	return b
}

// appendField writes a field with a comma behind it; none if there is no value. Invalid
// UTF-8 becomes U+FFFD.
func appendField(b []byte, name string, value *string) []byte {
	if value == nil {
		return b
	}
	b = append(append(append(b, '"'), name...), `":`...)
	for i := range len(*value) {
		if c := (*value)[i]; c < ' ' || c == '"' || c == '\\' || c >= utf8.RuneSelf {
			return append(append(b, marshal(*value)...), ',')
		}
	}
	return append(append(append(b, '"'), *value...), `",`...)
}

func appendNullable(b []byte, name string, value *string) []byte {
	if value != nil {
		return appendField(b, name, value)
	}
	return fmt.Appendf(b, "%q:null,", name)
}

// layout is that of JavaScript's toISOString, with six digits where there is something to
// show in them.
func (d Digits) layout(at time.Time) string {
	if d != HiddenMicroseconds && at.Nanosecond()%int(time.Millisecond) != 0 {
		return "2006-01-02T15:04:05.000000Z"
	}
	return "2006-01-02T15:04:05.000Z"
}

// rowFromRaw reads what it can of a record whose JSON a test chose, so that
// filters and deletion by id work on it; what it cannot read stays zero.
func rowFromRaw(at time.Time, raw []byte) *Row {
	row := &Row{}
	_ = json.Unmarshal(raw, row) // goes on after a field of another type
	row.Timestamp, row.Raw = at, slices.Clone(raw)
	return row
}

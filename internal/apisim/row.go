package apisim

import (
	"encoding/json"
	"time"
)

// Row is one record of either list endpoint, with the API's fields. Message
// belongs to alerts; Explanation, Severity and Block to violations. A nil
// ConversationID or Severity is sent as null; a nil LLMType, LLMModel, Host or
// Block is left out. Timestamp is UTC and holds microseconds.
type Row struct {
	ID               string
	PolicyID         string
	PolicyName       string
	Timestamp        time.Time
	Message          string
	Explanation      string
	ConversationID   *string
	RepoID           string
	RepoName         string
	UserID           string
	UserName         string
	RepoAIAPIKeyID   string
	RepoAIAPIKeyName string
	LLMType          *string
	LLMModel         *string
	Host             *string
	Severity         *string
	Block            *bool

	// Raw, if set, is sent instead of all the above, byte for byte. See
	// [Sim.AddRaw], which also fills the other fields as far as Raw has them.
	Raw []byte
}

// Alert is a row meant for the alerts.
type Alert = Row

// Violation is a row meant for the violations.
type Violation = Row

// appendJSON spells the row as the stream's list endpoint does.
func (r *Row) appendJSON(b []byte, stream Stream, m *Semantics) []byte {
	if r.Raw != nil {
		return append(b, r.Raw...)
	}
	b = appendField(append(b, '{'), "id", r.ID)
	b = appendField(b, "policyId", r.PolicyID)
	b = appendField(b, "policyName", r.PolicyName)
	b = append(b, `"timestamp":"`...)
	b = append(appendTimestamp(b, r.Timestamp.UnixMicro(), m.Digits), `",`...)
	if stream == Violations {
		b = appendField(b, "explanation", r.Explanation)
	} else {
		b = appendField(b, "message", r.Message)
	}
	b = appendNullable(b, "conversationId", r.ConversationID)
	b = appendField(b, "repoId", r.RepoID)
	b = appendField(b, "repoName", r.RepoName)
	b = appendField(b, "userId", r.UserID)
	b = appendField(b, "userName", r.UserName)
	b = appendField(b, "repoAiApiKeyId", r.RepoAIAPIKeyID)
	b = appendField(b, "repoAiApiKeyName", r.RepoAIAPIKeyName)
	if stream == Alerts || !m.PlainViolations {
		b = appendOptional(b, "llmType", r.LLMType)
		b = appendOptional(b, "llmModel", r.LLMModel)
		b = appendOptional(b, "host", r.Host)
	}
	if stream == Violations && !m.PlainViolations {
		b = appendNullable(b, "severity", r.Severity)
		if r.Block != nil {
			b = appendBlock(b, *r.Block)
		}
	}
	b[len(b)-1] = '}'
	return b
}

// The append functions below leave a comma behind the field; appendJSON turns
// the last one into the closing brace.

func appendField(b []byte, name, value string) []byte {
	b = append(b, '"')
	b = append(b, name...)
	b = append(b, `":`...)
	b = appendQuoted(b, value)
	return append(b, ',')
}

func appendNullable(b []byte, name string, value *string) []byte {
	if value != nil {
		return appendField(b, name, *value)
	}
	b = append(b, '"')
	b = append(b, name...)
	return append(b, `":null,`...)
}

func appendOptional(b []byte, name string, value *string) []byte {
	if value == nil {
		return b
	}
	return appendField(b, name, *value)
}

func appendBlock(b []byte, block bool) []byte {
	if block {
		return append(b, `"block":true,`...)
	}
	return append(b, `"block":false,`...)
}

// appendQuoted spells s as JavaScript does: only what must be is escaped.
func appendQuoted(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' || c >= 0x80 {
			return appendEscaped(b, s)
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}

func appendEscaped(b []byte, s string) []byte {
	const escapes = "btn_fr" // for 8 to 13; vertical tab has no short form
	b = append(b, '"')
	for _, r := range s { // invalid UTF-8 becomes U+FFFD
		switch {
		case r == '"' || r == '\\':
			b = append(b, '\\', byte(r))
		case r >= 8 && r <= 13 && r != 11:
			b = append(b, '\\', escapes[r-8])
		case r < ' ':
			b = appendHex(append(b, `\u`...), uint64(r), 4)
		default:
			b = append(b, string(r)...)
		}
	}
	return append(b, '"')
}

// appendTimestamp spells microseconds since 1970 as JavaScript's toISOString
// does, with six digits where there is something to show in them.
func appendTimestamp(b []byte, micros int64, digits Digits) []byte {
	t := time.UnixMicro(micros).UTC()
	if digits != HiddenMicroseconds && micros%1000 != 0 {
		return t.AppendFormat(b, "2006-01-02T15:04:05.000000Z")
	}
	return t.AppendFormat(b, "2006-01-02T15:04:05.000Z")
}

// rowFromRaw reads what it can of a record whose JSON a test chose, so that
// filters and deletion by id work on it; what it cannot read stays zero.
func rowFromRaw(at time.Time, raw []byte) *Row {
	row := &Row{Timestamp: at, Raw: append([]byte{}, raw...)}
	var fields map[string]any
	if json.Unmarshal(raw, &fields) != nil {
		return row
	}
	text := func(name string) *string {
		if value, ok := fields[name].(string); ok {
			return &value
		}
		return nil
	}
	for name, field := range map[string]*string{
		"id": &row.ID, "policyId": &row.PolicyID, "policyName": &row.PolicyName,
		"message": &row.Message, "explanation": &row.Explanation,
		"repoId": &row.RepoID, "repoName": &row.RepoName, "userId": &row.UserID, "userName": &row.UserName,
		"repoAiApiKeyId": &row.RepoAIAPIKeyID, "repoAiApiKeyName": &row.RepoAIAPIKeyName,
	} {
		if value := text(name); value != nil {
			*field = *value
		}
	}
	row.ConversationID, row.Severity = text("conversationId"), text("severity")
	row.LLMType, row.LLMModel, row.Host = text("llmType"), text("llmModel"), text("host")
	if block, ok := fields["block"].(bool); ok {
		row.Block = &block
	}
	return row
}

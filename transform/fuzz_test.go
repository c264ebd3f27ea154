package transform_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/flashback-sync/flashback-sync/checkpoints/instant"
	"github.com/flashback-sync/flashback-sync/schema"
	"github.com/flashback-sync/flashback-sync/transform"
)

// FuzzDecode holds the decoder against an independent reading by encoding/json.
func FuzzDecode(f *testing.F) {
	for record := range rejected {
		if len(record) < 1<<12 {
			f.Add([]byte(record), false)
		}
	}
	for _, fields := range []string{
		``, `,"message":"a\u0000\ud83d\ude00\n","conversationId":null,"new":1.10`, `,"block":true,"severity":"LOW","explanation":""`,
		`, "x" : [ 1e400, {"id":1,"id":2} ] , "é\/" : "\u00e9"`, `,"block":false,"host":"h","llmType":"AWS","":null`,
	} {
		f.Add([]byte(alertWith(fields)), true)
		f.Add([]byte(alertWith(fields)), false)
	}
	f.Fuzz(func(t *testing.T, record []byte, violation bool) {
		table := schema.Alerts()
		if violation {
			table = schema.Violations()
		}
		allocator := memory.NewCheckedAllocator(memory.DefaultAllocator)
		defer allocator.AssertSize(t, 0)
		batch := transform.NewBatch(table, nil, allocator)
		defer batch.Release()
		sent := bytes.Clone(record)
		outcome := batch.Add(record)
		fields, readable := independent(record)
		switch outcome {
		case transform.Added:
			if again := batch.Add(record); again != transform.Duplicate {
				t.Fatalf("again: outcome %v", again)
			}
			rows, built := take(t, batch)
			defer built.Release()
			if !readable {
				t.Fatalf("encoding/json does not read what became %v", rows)
			}
			checkRow(t, table, rows[0], fields)
		case transform.Rejected:
			reject := batch.Build().Rejects[0]
			if original(reject.Raw) != string(sent) || !utf8.ValidString(reject.Raw) {
				t.Fatalf("raw text %q", reject.Raw)
			}
			if !utf8.ValidString(reject.Reason) || len(reject.Reason) > 400 {
				t.Fatalf("reason %q", reject.Reason)
			}
			if readable && good(table, record, fields) {
				t.Fatalf("a good record is rejected: %s", reject.Reason)
			}
		default:
			t.Fatalf("outcome %v", outcome)
		}
		if !bytes.Equal(sent, record) {
			t.Fatal("the record was changed")
		}
	})
}

// field is a field as encoding/json reads it: its name unescaped, its value as sent.
type field struct {
	name string
	raw  json.RawMessage
}

// independent reads a JSON object field by field.
func independent(record []byte) (fields []field, ok bool) {
	if !json.Valid(record) {
		return nil, false
	}
	d := json.NewDecoder(bytes.NewReader(record))
	if token, err := d.Token(); err != nil || token != json.Delim('{') {
		return nil, false
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, false
		}
		var raw json.RawMessage
		if err := d.Decode(&raw); err != nil {
			return nil, false
		}
		fields = append(fields, field{name.(string), raw})
	}
	return fields, true
}

// good reports whether the documented rules take the record. It may say no where
// encoding/json's reading is ambiguous: it replaces what is not Unicode.
func good(table *schema.Table, record []byte, fields []field) bool {
	if !utf8.Valid(record) || bytes.Contains(bytes.ToLower(record), []byte(`\ud`)) {
		return false
	}
	seen := map[string]bool{}
	for _, f := range fields {
		if seen[f.name] {
			return false
		}
		seen[f.name] = true
		column, known := columnFor(table, f.name)
		isText := f.raw[0] == '"'
		switch {
		case !known || string(f.raw) == "null":
		case column.Type == schema.Boolean:
			if isText || (f.raw[0] != 't' && f.raw[0] != 'f') {
				return false
			}
		case !isText:
			return false
		case column.Type == schema.Timestamp:
			if _, ok := timeOf(f.raw); !ok {
				return false
			}
		}
		if f.name == "id" && (string(f.raw) == `""` || string(f.raw) == "null") || f.name == "timestamp" && !isText {
			return false
		}
	}
	return seen["id"] && seen["timestamp"]
}

func columnFor(table *schema.Table, api string) (schema.Column, bool) {
	for _, c := range table.Columns {
		if c.API != "" && c.API == api {
			return c, true
		}
	}
	return schema.Column{}, false
}

func timeOf(raw json.RawMessage) (time.Time, bool) {
	at, ok := instant.Parse(textOf(raw))
	return at.Time(), ok && at.Time().Year() >= 1 && at.Time().Year() <= 9999
}

func textOf(raw json.RawMessage) (text string) {
	_ = json.Unmarshal(raw, &text)
	return text
}

// checkRow holds every column against the fields, and proves that nothing of the
// record is lost: what no column has is in extra, in order and byte for byte.
func checkRow(t *testing.T, table *schema.Table, got row, fields []field) {
	t.Helper()
	want := row{}
	for _, c := range table.Batch() {
		want[c.Name] = nil
	}
	var unknown []field
	for _, f := range fields {
		column, known := columnFor(table, f.name)
		switch {
		case !known:
			unknown = append(unknown, f)
		case string(f.raw) == "null":
		case column.Type == schema.Boolean:
			want[column.Name] = string(f.raw) == "true"
		case column.Type == schema.Timestamp:
			want[column.Name], _ = timeOf(f.raw)
		default:
			want[column.Name] = textOf(f.raw)
		}
	}
	if extra, isText := got["extra"].(string); isText {
		kept, ok := independent([]byte(extra))
		if !ok || !slices.EqualFunc(kept, unknown, func(a, b field) bool { return a.name == b.name && bytes.Equal(a.raw, b.raw) }) {
			t.Fatalf("extra is %q, unknown are %q", extra, unknown)
		}
		want["extra"] = extra
	} else if len(unknown) > 0 {
		t.Fatalf("extra is NULL, unknown are %q", unknown)
	}
	for name, value := range want {
		if got[name] != value {
			t.Fatalf("%s is %q, want %q", name, got[name], value)
		}
		if text, isText := got[name].(string); isText && !utf8.ValidString(text) {
			t.Fatalf("%s is not UTF-8", name)
		}
	}
	if len(got) != len(want) || got["id"] == "" {
		t.Fatalf("columns %v", got)
	}
}

package transform_test

import (
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/flashback-sync/flashback-sync/schema"
	"github.com/flashback-sync/flashback-sync/transform"
)

// rejected are records that must not become rows, with the reason or a part of it.
var rejected = map[string]string{
	``:                                     "unreadable JSON",
	`   `:                                  "unreadable JSON",
	`[]`:                                   "not a JSON object",
	`[{"id":"a"}]`:                         "not a JSON object",
	`null`:                                 "not a JSON object",
	`"text"`:                               "not a JSON object",
	`12`:                                   "not a JSON object",
	`<html>502</html>`:                     "unreadable JSON",
	"\xef\xbb\xbf{}":                       "unreadable JSON", // a byte order mark
	`{}`:                                   "id is missing",
	`{"id":"a"}`:                           "timestamp is missing",
	`{"timestamp":"2024-01-15"}`:           "id is missing",
	`{"id":null,"timestamp":"2024-01-15"}`: "id is missing",
	`{"id":"","timestamp":"2024-01-15"}`:   "id is missing",
	`{"id":7,"timestamp":"2024-01-15"}`:    "id is a number, not a string",
	`{"ID":"a","timestamp":"2024-01-15"}`:  "id is missing",
	alertWith(`,"id":"a"`):                 "id is there twice",
	alertWith(`,"i\u0064":"b"`):            "id is there twice",
	alertWith(`,"message":null,"message":"x"`):          "message is there twice",
	alertWith(`,"x":1,"x":1`):                           "x is there twice",
	alertWith(`,"x":1,"\u0078":2`):                      "x is there twice",
	alertWith(`,"message":"` + "\xff" + `"`):            "invalid UTF-8",
	alertWith(`,"x":["` + "\xc3\x28" + `"]`):            "invalid UTF-8",
	alertWith(`,"` + "\xed\xa0\x80" + `":1`):            "invalid UTF-8", // a surrogate in UTF-8
	alertWith(`,"message":"\ud800"`):                    "surrogate",
	alertWith(`,"x":{"y":"\udc00x"}`):                   "surrogate",
	alertWith(`,"message":"` + "\x00" + `"`):            "unreadable JSON",
	alertWith(`,"message":"` + "\n" + `"`):              "unreadable JSON",
	alertWith(`,"message":"\x41"`):                      "unreadable JSON",
	alertWith(`,"x":01`):                                "unreadable JSON",
	alertWith(`,"x":NaN`):                               "unreadable JSON",
	alertWith(`,`):                                      "unreadable JSON",
	alertWith(``) + `x`:                                 "unreadable JSON",
	alertWith(``) + alertWith(``):                       "text after the JSON object",
	alertWith(``) + ` null`:                             "text after the JSON object",
	`{"id":"a","timestamp":"2024-01-15","message":"cut`: "unreadable JSON",
	alertWith(`,"x":` + strings.Repeat("[", 20_000)):    "unreadable JSON",
	alertWith(`,"x":` + strings.Repeat(`{"a":`, 20_000) + "1" + strings.Repeat("}", 20_000)):    "max depth",
	alertWith(`,"` + strings.Repeat("n", 1<<20) + `":1,"` + strings.Repeat("n", 1<<20) + `":1`): "a field with an unusual name is there twice",
}

func TestBadRecordsAreRejectedWithTheReason(t *testing.T) {
	for record, want := range rejected {
		got := refuse(t, schema.Alerts(), record)
		if !strings.Contains(got, want) {
			t.Errorf("%.120q: %q, want %q", record, got, want)
		}
		if len(got) > 300 || !utf8.ValidString(got) {
			t.Errorf("%.120q: a reason of %d bytes", record, len(got))
		}
	}
}

func TestARejectedRecordLeavesNothingBehind(t *testing.T) {
	batch := newBatch(t, schema.Alerts())
	batch.Add([]byte(alertWith(`,"message":"kept","host":"h"`)))
	for record := range rejected {
		batch.Add([]byte(record))
	}
	batch.Add([]byte(`{"id":"b","timestamp":"2024-01-16"}`))
	rows, built := take(t, batch)
	if len(rows) != 2 || len(built.Rejects) != len(rejected) {
		t.Fatalf("%d rows, %d rejects", len(rows), len(built.Rejects))
	}
	if rows[0]["message"] != "kept" || rows[1]["message"] != nil || rows[1]["host"] != nil || rows[1]["extra"] != nil {
		t.Errorf("rows %v", rows)
	}
	if again := batch.Build(); len(again.Rejects) != 0 || again.Record != nil {
		t.Errorf("the next batch holds %+v", again)
	}
}

func TestRejectsCountAsMemory(t *testing.T) {
	batch := newBatch(t, schema.Alerts())
	batch.Add([]byte(`{"message":"` + strings.Repeat("x", 1000) + `"}`))
	if batch.Rows() != 0 || batch.Bytes() < 1000 {
		t.Errorf("%d rows, %d bytes", batch.Rows(), batch.Bytes())
	}
	batch.Build()
	if batch.Bytes() != 0 {
		t.Errorf("%d bytes are left", batch.Bytes())
	}
}

func TestRawTextIsValidAndLossFree(t *testing.T) {
	for raw, want := range map[string]string{
		`{"message":"é \\ \n \x"}`: `{"message":"é \\ \n \x"}`,
		"{\"a\":\"\xff\xc3\x28\"}": `{"a":"\xFF\xC3("}`,
		"\\\xff":                   `\\xFF`,
		`\\xFF`:                    `\\x5CxFF`,
		`\xFF`:                     `\x5CxFF`,
		`C:\\xampp \x5`:            `C:\\xampp \x5`,
		"\xe2\x82":                 `\xE2\x82`,
		"\x00\ufffd":               "\x00\ufffd",
	} {
		batch := newBatch(t, schema.Alerts())
		batch.Add([]byte(raw))
		got := batch.Build().Rejects[0].Raw
		if got != want || !utf8.ValidString(got) || original(got) != raw {
			t.Errorf("%q: %q, want %q; it reads as %q", raw, got, want, original(got))
		}
	}
}

// original turns a reject's raw text back into the record's bytes.
func original(raw string) string {
	var b strings.Builder
	for len(raw) > 0 {
		if len(raw) >= 4 && raw[:2] == `\x` && strings.ToUpper(raw[2:4]) == raw[2:4] {
			if value, err := strconv.ParseUint(raw[2:4], 16, 8); err == nil {
				b.WriteByte(byte(value))
				raw = raw[4:]
				continue
			}
		}
		b.WriteByte(raw[0])
		raw = raw[1:]
	}
	return b.String()
}

func TestKeysWithinABatch(t *testing.T) {
	batch := newBatch(t, schema.Alerts())
	add := func(record string) transform.Outcome { return batch.Add([]byte(record)) }
	first, other := alertWith(`,"message":"x"`), alertWith(`,"message":"y"`)
	for i, step := range []struct {
		record string
		want   transform.Outcome
	}{
		{first, transform.Added},
		{first, transform.Duplicate},
		{other, transform.Conflict},
		{first, transform.Duplicate},
		{`{"id":"A","timestamp":"2024-01-15T10:30:00.000Z"}`, transform.Added}, // ids differ by case
		{`{"id":"a ","timestamp":"2024-01-15T10:30:00.000Z"}`, transform.Added},
	} {
		if got := add(step.record); got != step.want {
			t.Errorf("step %d: outcome %v, want %v", i, got, step.want)
		}
	}
	if rows, _ := take(t, batch); len(rows) != 3 || rows[0]["message"] != "x" {
		t.Errorf("rows %v", rows)
	}
	if got := add(other); got != transform.Added {
		t.Errorf("in the next batch: outcome %v", got)
	}
	if rows, _ := take(t, batch); len(rows) != 1 || rows[0]["message"] != "y" {
		t.Errorf("rows %v", rows)
	}
}

// TestReasonsQuoteNothingOfARecord, wherever it is spoilt and whatever is personal in it:
// they are published, and shown on the status page.
func TestReasonsQuoteNothingOfARecord(t *testing.T) {
	const jane = "Jane Doe"
	record := `{"id":"` + jane + `","timestamp":"2024-01-15T10:30:00Z","message":"` + jane + `","` + jane + `":{"` + jane + `":["` + jane + `"]},"x":1}`
	records := []string{
		jane, `"` + jane + `"`, alertWith(`,"` + jane + `":1,"` + jane + `":2`), alertWith(`,"message":{"` + jane + `":1}`),
		`{"id":"a","timestamp":"` + jane + `"}`, `{"id":{"` + jane + `":1},"timestamp":"2024-01-15"}`, record + jane, record + record,
	}
	for at := range len(record) {
		records = append(records, record[:at], record[:at]+jane+record[at:], record[:at]+"\xff"+record[at:], record[:at]+`"`+record[at:])
	}
	for _, record := range records {
		batch := newBatch(t, schema.Alerts())
		batch.Add([]byte(record))
		built := batch.Build()
		for _, reject := range built.Rejects {
			if strings.Contains(reject.Reason, "Jane") || strings.Contains(reject.Reason, "Doe") {
				t.Fatalf("%s: %s", record, reject.Reason)
			}
		}
		built.Release()
	}
}

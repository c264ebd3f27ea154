package transform_test

import (
	"strings"
	"testing"

	"github.com/flashback-sync/flashback-sync/schema"
	"github.com/flashback-sync/flashback-sync/transform"
)

func TestTextIsKeptExactly(t *testing.T) {
	for name, c := range map[string]struct {
		field string
		want  any
	}{
		"absent":         {``, nil},
		"null":           {`,"message":null`, nil},
		"empty":          {`,"message":""`, ""},
		"blank":          {`,"message":"  \t "`, "  \t "},
		"white space":    {",\n\t\"message\" :\r\n \"x\" ", "x"},
		"escapes":        {`,"message":"\"\\\/\b\f\n\r\t\u00e9"`, "\"\\/\b\f\n\r\té"},
		"surrogate pair": {`,"message":"\ud83d\ude00"`, "😀"},
		"not normalised": {`,"message":"e\u0301 é"`, "e\u0301 é"},
		"NUL":            {`,"message":"a\u0000b"`, "a\x00b"},
		"noncharacter":   {`,"message":"\uffff"`, "\uffff"},
		"looks like SQL": {`,"message":"'); DROP TABLE alerts; --"`, "'); DROP TABLE alerts; --"},
		"the word null":  {`,"message":"null"`, "null"},
		"escaped name":   {`,"m\u0065ssage":"x"`, "x"},
		"10 MB":          {`,"message":"` + strings.Repeat("é", 5<<20) + `"`, strings.Repeat("é", 5<<20)},
	} {
		if got := accept(t, schema.Alerts(), alertWith(c.field))["message"]; got != c.want {
			t.Errorf("%s: %.80q", name, got)
		}
	}
}

func TestTimestampsInEveryAcceptedNotation(t *testing.T) {
	for text, want := range map[string]string{
		"2024-01-15T10:30:00.000Z":          "2024-01-15T10:30:00Z",
		"2024-01-15T10:30:00Z":              "2024-01-15T10:30:00Z",
		"2024-01-15T10:30:00.123456789Z":    "2024-01-15T10:30:00.123456Z",
		"2024-01-15T10:30:00+02:00":         "2024-01-15T08:30:00Z",
		"2024-01-15T10:30:00-0530":          "2024-01-15T16:00:00Z",
		"2024-01-15T10:30:00":               "2024-01-15T10:30:00Z",
		"2024-01-15 10:30:00":               "2024-01-15T10:30:00Z",
		"2024-01-15":                        "2024-01-15T00:00:00Z",
		`2024-01-15\u005410:30:00Z`:         "2024-01-15T10:30:00Z",
		"0001-01-01T00:00:00Z":              "0001-01-01T00:00:00Z",
		"9999-12-31T23:59:59.999999Z":       "9999-12-31T23:59:59.999999Z",
		"1969-12-31T23:59:59.9999999+00:00": "1969-12-31T23:59:59.999999Z",
	} {
		got := accept(t, schema.Alerts(), `{"id":"a","timestamp":"`+text+`"}`)["timestamp"]
		if got != utc(t, want) {
			t.Errorf("%s: %v, want %s", text, got, want)
		}
	}
}

func TestInvalidTimestamps(t *testing.T) {
	for text, want := range map[string]string{
		`""`: "timestamp is not a timestamp", `"yesterday"`: "timestamp is not a timestamp", `"1705314600"`: "timestamp is not a timestamp",
		`"2023-02-29"`: "timestamp is not a timestamp", `"9999-12-31T24:00:00Z"`: "timestamp is outside the years 1 to 9999", `"2024-01-15T10:30:60Z"`: "timestamp is not a timestamp",
		`1705314600000`: "timestamp is a number, not a timestamp", `true`: "timestamp is a boolean, not a timestamp",
		`{"$date":"2024-01-15"}`: "timestamp is an object, not a timestamp", `null`: "timestamp is missing",
		// An offset carries these out of the years that a partition can be named by.
		`"9999-12-31T23:59:59-01:00"`: "timestamp is outside the years 1 to 9999",
		`"0001-01-01T00:00:00+00:01"`: "timestamp is outside the years 1 to 9999",
		`"0000-06-01"`:                "timestamp is outside the years 1 to 9999",
	} {
		if got := refuse(t, schema.Alerts(), `{"id":"a","timestamp":`+text+`}`); got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}

func TestBooleans(t *testing.T) {
	for field, want := range map[string]any{``: nil, `,"block":null`: nil, `,"block":true`: true, `,"block":false`: false} {
		if got := accept(t, schema.Violations(), alertWith(field))["block"]; got != want {
			t.Errorf("%q: %v", field, got)
		}
	}
	for _, value := range []string{`"true"`, `1`, `0`, `""`, `[]`} {
		if got := refuse(t, schema.Violations(), alertWith(`,"block":`+value)); !strings.HasPrefix(got, "block is ") {
			t.Errorf("%s: %q", value, got)
		}
	}
}

func TestWrongTypesAreNamed(t *testing.T) {
	for value, want := range map[string]string{
		`1`: "message is a number, not a string", `true`: "message is a boolean, not a string",
		`{"a":1}`: "message is an object, not a string", `["x"]`: "message is an array, not a string",
	} {
		if got := refuse(t, schema.Alerts(), alertWith(`,"message":`+value)); got != want {
			t.Errorf("%s: %q, want %q", value, got, want)
		}
	}
}

func TestIntegersInEveryNotation(t *testing.T) {
	for value, want := range map[string]any{
		`0`: int64(0), `-0`: int64(0), `-0.0e5`: int64(0), `0e999999999`: int64(0), `0.000e-999999999999999999999`: int64(0),
		`12`: int64(12), `12.0`: int64(12), `1.2e1`: int64(12), `1.2E+1`: int64(12), `1200e-2`: int64(12), `0.0012e4`: int64(12), `-1.20e1`: int64(-12),
		`9223372036854775807`: int64(9223372036854775807), `9.223372036854775807e18`: int64(9223372036854775807),
		`-9223372036854775808`: int64(-9223372036854775808), `92233720368547758070e-1`: int64(9223372036854775807),
		`9007199254740993`: int64(9007199254740993), // no double holds it
		`null`:             nil,
	} {
		if got := point(t, `"alerts":`+value)["alerts"]; got != want {
			t.Errorf("%s: %v, want %v", value, got, want)
		}
	}
	for value, want := range map[string]string{
		`9223372036854775808`:        "alerts is beyond the range of a 64-bit integer",
		`-9223372036854775809`:       "alerts is beyond the range of a 64-bit integer",
		`1e400`:                      "alerts is beyond the range of a 64-bit integer",
		`1e99999999999999999999999`:  "alerts is beyond the range of a 64-bit integer",
		`12.5`:                       "alerts is not a whole number",
		`1e-1`:                       "alerts is not a whole number",
		`1e-99999999999999999999999`: "alerts is not a whole number",
		`"12"`:                       "alerts is a string, not an integer",
		`true`:                       "alerts is a boolean, not an integer",
		`[12]`:                       "alerts is an array, not an integer",
	} {
		batch := newBatch(t, schema.PolicyStats())
		_, _, outcome := batch.AddPoint(hourly(t), []byte(`{"ts":1704067200,"alerts":`+value+`}`))
		_, built := take(t, batch)
		if outcome != transform.Rejected || built.Rejects[0].Reason != want {
			t.Errorf("%s: outcome %v, rejects %v", value, outcome, built.Rejects)
		}
	}
}

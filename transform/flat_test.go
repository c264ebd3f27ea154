package transform

import (
	"bytes"
	"maps"
	"slices"
	"testing"

	"github.com/flashback-sync/flashback-sync/schema"
)

// FuzzFlat holds the way of flat records against the way of all records: what it
// takes, that one takes too, and finds the same in it.
func FuzzFlat(f *testing.F) {
	for _, record := range []string{
		`{"id":"a","timestamp":"2024-01-15T10:30:00.000Z","message":"an \"x\" for a Weiß","host":null}`,
		`{"ts":1704067200,"alerts":1,"blocks":12.0,"new":1.10,"z":"","é":true}`, `{"total":1500,"avg":62.5,"stdDev":null,"min":-0.0,"max":1e3}`,
		`{"id":"a","block":true,"severity":"LOW","block":false}`, `{"x":1,"x":1}`, `{"x":1,"ts":1,"ts":2}`, `{"timestamp":"yesterday"}`,
		"{\"message\":\"\xff\",\"x\":1}", "{\"\xff\":1}", `{"host":"h","id":"a"}`, `{"id":7}`, `{"x":"\n","\u0078":1}`, `{"message":"\u00e9"}`,
	} {
		for table := range 4 {
			f.Add([]byte(record), table)
		}
	}
	tables := []*schema.Table{schema.Alerts(), schema.Violations(), schema.PolicyStats(), schema.PolicyStatsSummary()}
	ignore := map[string]bool{"ts": true}
	f.Fuzz(func(t *testing.T, record []byte, table int) {
		fast, general := newDecoder(tables[table&3]), newDecoder(tables[table&3])
		fast.begin(record)
		general.begin(record)
		if !fast.flat(ignore) {
			_ = general.fields(ignore)
			if !reportsNoMore(fast, general) {
				t.Fatalf("%q: reported are %v, by all rules %v", record, fast.report, general.report)
			}
			return
		}
		if err := general.fields(ignore); err != nil {
			t.Fatalf("%q: %v", record, err)
		}
		fast.gatherExtra()
		general.gatherExtra()
		for i, c := range fast.columns {
			got, want := fast.slots[i], general.slots[i]
			if got != want || !bytes.Equal(fast.text(&got), general.text(&want)) {
				t.Fatalf("%q: %s is %+v, by all rules %+v", record, c.Name, got, want)
			}
		}
		if !slices.EqualFunc(fast.unknown, general.unknown, func(a, b span) bool { return bytes.Equal(a.name, b.name) && bytes.Equal(a.value, b.value) }) {
			t.Fatalf("%q: unknown are %q, by all rules %q", record, fast.unknown, general.unknown)
		}
		if !maps.Equal(fast.report, general.report) {
			t.Fatalf("%q: reported are %v, by all rules %v", record, fast.report, general.report)
		}
	})
}

// reportsNoMore says whether what one decoder reports, the other reports too.
func reportsNoMore(one, other *decoder) bool {
	for name := range one.report {
		if _, both := other.report[name]; !both {
			return false
		}
	}
	return true
}

// Records as the API sends them must not fall back to the slow way unnoticed.
func TestUsualRecordsAreFlat(t *testing.T) {
	for _, record := range []string{
		`{"id":"a","policyId":"p","policyName":"n","timestamp":"2024-01-15T10:30:00.000Z","message":"\"quoted\"\n","conversationId":null,"host":"h"}`,
		`{"id":"a","timestamp":"2024-01-15","userName":"Lukas Weiß"}`,
		`{"timestamp":"2024-01-15","id":"a","added":1.5,"later":null}`,
	} {
		d := newDecoder(schema.Alerts())
		d.begin([]byte(record))
		if !d.flat(nil) {
			t.Errorf("%s", record)
		}
	}
}

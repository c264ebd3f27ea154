package transform_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flashback-sync/flashback-sync/schema"
	"github.com/flashback-sync/flashback-sync/transform"
)

func TestUnknownFieldsAreKeptByteForByte(t *testing.T) {
	for fields, want := range map[string]string{
		`,"new":1`:                                `{"new":1}`,
		`,"new":1.10,"big":1e400`:                 `{"new":1.10,"big":1e400}`,
		`,"z":null,"a":""`:                        `{"z":null,"a":""}`,
		`,"nested":{"b":[1, 2 ,{"c":-0}]}`:        `{"nested":{"b":[1, 2 ,{"c":-0}]}}`,
		`,"esc\u0061ped":"\u00e9\/é\ud83d\ude00"`: `{"esc\u0061ped":"\u00e9\/é\ud83d\ude00"}`,
		`,"имя":"значение","ключ 🔑":true`:         `{"имя":"значение","ключ 🔑":true}`,
		`,"":0`:                               `{"":0}`,
		" ,\n\t\"spaced\" : [ 1 ,\r\n 2 ] \n": "{\"spaced\":[ 1 ,\r\n 2 ]}",
		`,"ID":"x","Timestamp":1`:             `{"ID":"x","Timestamp":1}`,
		`,"inner":{"id":1,"id":2}`:            `{"inner":{"id":1,"id":2}}`,
		`,"_run_id":"forged","extra":{"a":1}`: `{"_run_id":"forged","extra":{"a":1}}`,
		`,"policy_id":"snake"`:                `{"policy_id":"snake"}`,
		`,"severity":"LOW"`:                   `{"severity":"LOW"}`, // a violation's field, not an alert's
		``:                                    ``,
	} {
		got := accept(t, schema.Alerts(), alertWith(fields))
		if want == "" && got["extra"] == nil {
			continue
		}
		if got["extra"] != want || !json.Valid([]byte(want)) {
			t.Errorf("%s:\n got %v\nwant %s", fields, got["extra"], want)
		}
		if got["policy_id"] != nil {
			t.Errorf("%s: policy_id is %v", fields, got["policy_id"])
		}
	}
}

func TestUnknownFieldsBetweenKnownOnes(t *testing.T) {
	got := accept(t, schema.Alerts(), `{"x":1,"timestamp":"2024-01-15","message":"a\nb","y":"\n","id":"a","host":"h"}`)
	if got["extra"] != `{"x":1,"y":"\n"}` || got["message"] != "a\nb" || got["host"] != "h" {
		t.Errorf("got %v", got)
	}
}

func TestUnknownFieldsAreReportedOnceAndBounded(t *testing.T) {
	batch := newBatch(t, schema.Alerts())
	for i := range 3 {
		batch.Add(fmt.Appendf(nil, `{"id":"%d","timestamp":"2024-01-15","zeta":1,"al\u0070ha":2}`, i))
	}
	if diff := cmp.Diff([]string{"alpha", "zeta"}, batch.UnknownFields()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	batch.Build().Release()
	batch.Add([]byte(`{"id":"b","timestamp":"2024-01-15","` + strings.Repeat("é", 1<<20) + `":1}`))
	for i := range 1000 {
		batch.Add(fmt.Appendf(nil, `{"id":"c%d","timestamp":"2024-01-15","f%d":1}`, i, i))
	}
	names := batch.UnknownFields()
	if len(names) != 100 {
		t.Errorf("%d names are reported", len(names))
	}
	for _, name := range names {
		if len(name) > 80 {
			t.Errorf("a name of %d bytes is reported", len(name))
		}
	}
}

// A hostile record must not take time that grows with the square of its fields.
func TestAHundredThousandUnknownFields(t *testing.T) {
	var record strings.Builder
	record.WriteString(`{"id":"a","timestamp":"2024-01-15"`)
	for i := range 100_000 {
		fmt.Fprintf(&record, `,"f%d":%d`, i, i)
	}
	record.WriteString(`}`)
	got := accept(t, schema.Alerts(), record.String())
	var fields map[string]int
	if err := json.Unmarshal([]byte(got["extra"].(string)), &fields); err != nil || len(fields) != 100_000 {
		t.Errorf("%d fields, %v", len(fields), err)
	}
}

func TestUnknownFieldsOfASummaryAreReported(t *testing.T) {
	batch := newBatch(t, schema.PolicyStatsSummary())
	if outcome := batch.AddSummary(hourly(t), []byte(`{"total":1,"p99":5}`)); outcome != transform.Added {
		t.Errorf("outcome %v", outcome)
	}
	if diff := cmp.Diff([]string{"p99"}, batch.UnknownFields()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

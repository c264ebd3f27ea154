package transform

import (
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/flashback-sync/flashback-sync/schema"
)

// stored are the values of a row of violations in the order of schema.Table.Batch.
func stored(values map[string]any) []any {
	var row []any
	for _, c := range schema.Violations().Batch() {
		row = append(row, values[c.Name])
	}
	return row
}

func TestAStoredRowBecomesWhatItsRecordWouldBe(t *testing.T) {
	at := time.Date(2024, 1, 2, 3, 4, 5, 678_901_000, time.UTC)
	for name, c := range map[string]struct {
		extra, record string
	}{
		"nothing":        {"", ``},
		"an empty extra": {"{}", ``},
		"known fields":   {`{"severity":"HIGH","block":true}`, `,"severity":"HIGH","block":true`},
		"unknown, too":   {`{"a":1.10,"severity":"\u00e9\ud83d\ude00","b":{"block":[1e400]}}`, `,"a":1.10,"severity":"é😀","b":{"block":[1e400]}`},
		"escaped":        {`{"sever\u0069ty":"LOW"}`, `,"severity":"LOW"`},
	} {
		t.Run(name, func(t *testing.T) {
			allocator := memory.NewCheckedAllocator(memory.DefaultAllocator)
			defer allocator.AssertSize(t, 0)
			row := map[string]any{"id": "v-1", "timestamp": at, "explanation": "a \"quote\", \\ and \x00", "user_name": ""}
			if c.extra != "" {
				row["extra"] = c.extra
			}
			was, is := NewBatch(schema.Violations(), nil, allocator), NewBatch(schema.Violations(), nil, allocator)
			defer was.Release()
			defer is.Release()
			if got := was.AddStored(stored(row)); got != Added {
				t.Fatal(got)
			}
			record := `{"id":"v-1","timestamp":"2024-01-02T03:04:05.678901Z","explanation":"a \"quote\", \\ and \u0000","userName":""` + c.record + `}`
			if got := is.Add([]byte(record)); got != Added {
				t.Fatal(got, is.rejects)
			}
			got, want := was.Build(), is.Build()
			defer got.Release()
			defer want.Release()
			if !array.RecordEqual(got.Record, want.Record) {
				t.Errorf("got %v\nwant %v", got.Record, want.Record)
			}
		})
	}
}

func TestAStoredRowThatDoesNotFitIsLeftAlone(t *testing.T) {
	batch := NewBatch(schema.Violations(), nil, memory.DefaultAllocator)
	defer batch.Release()
	for _, extra := range []string{`{"severity":5}`, `{"block":"yes"}`, `{"host":"a","host":"b"}`, `{"host":"other"}`, `{`} {
		row := stored(map[string]any{"id": "v-1", "timestamp": time.Now(), "host": "example.org", "extra": extra})
		if got := batch.AddStored(row); got != Rejected {
			t.Errorf("%s: %v", extra, got)
		}
	}
	if built := batch.Build(); built.Rows != 0 || len(built.Rejects) != 0 {
		t.Errorf("%d rows, rejects %v", built.Rows, built.Rejects)
	}
}

package transform_test

import (
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"go.uber.org/goleak"

	"github.com/flashback-sync/flashback-sync/schema"
	"github.com/flashback-sync/flashback-sync/transform"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// row holds a row's values by column: nil, string, int64, float64, bool or a
// time.Time in UTC.
type row map[string]any

// newBatch makes a batch that must have given back all of its memory at the end.
func newBatch(t testing.TB, table *schema.Table) *transform.Batch {
	t.Helper()
	allocator := memory.NewCheckedAllocator(memory.DefaultAllocator)
	batch := transform.NewBatch(table, nil, allocator)
	t.Cleanup(func() {
		batch.Release()
		allocator.AssertSize(t, 0)
	})
	return batch
}

// take builds the batch and returns its rows and rejects.
func take(t testing.TB, batch *transform.Batch) ([]row, *transform.Built) {
	t.Helper()
	built := batch.Build()
	t.Cleanup(built.Release)
	if built.Record == nil {
		return nil, built
	}
	if !built.Record.Schema().Equal(built.Table.BatchSchema()) {
		t.Fatalf("the batch's schema is %v", built.Record.Schema())
	}
	rows := make([]row, built.Record.NumRows())
	for i := range rows {
		rows[i] = row{}
		for j, field := range built.Record.Schema().Fields() {
			rows[i][field.Name] = valueAt(t, built.Record.Column(j), i)
		}
	}
	return rows, built
}

func valueAt(t testing.TB, column arrow.Array, i int) any {
	t.Helper()
	if column.IsNull(i) {
		return nil
	}
	switch c := column.(type) {
	case *array.String:
		return c.Value(i)
	case *array.Int64:
		return c.Value(i)
	case *array.Float64:
		return c.Value(i)
	case *array.Boolean:
		return c.Value(i)
	case *array.Timestamp:
		return time.UnixMicro(int64(c.Value(i))).UTC()
	}
	t.Fatalf("a column of type %T", column)
	return nil
}

// accept adds one record that must be good and returns its row.
func accept(t testing.TB, table *schema.Table, record string) row {
	t.Helper()
	batch := newBatch(t, table)
	outcome := batch.Add([]byte(record))
	rows, built := take(t, batch)
	if outcome != transform.Added || len(rows) != 1 || len(built.Rejects) != 0 {
		t.Fatalf("%.200s: outcome %v, %d rows, rejects %+v", record, outcome, len(rows), built.Rejects)
	}
	return rows[0]
}

// refuse adds one record that must be bad and returns the reason.
func refuse(t testing.TB, table *schema.Table, record string) string {
	t.Helper()
	batch := newBatch(t, table)
	outcome := batch.Add([]byte(record))
	rows, built := take(t, batch)
	if outcome != transform.Rejected || len(rows) != 0 || len(built.Rejects) != 1 {
		t.Fatalf("%.200q: outcome %v, %d rows, %d rejects", record, outcome, len(rows), len(built.Rejects))
	}
	return built.Rejects[0].Reason
}

// alertWith is a good alert with more fields.
func alertWith(fields string) string {
	return `{"id":"a","timestamp":"2024-01-15T10:30:00.000Z"` + fields + `}`
}

// utc reads an RFC 3339 time.
func utc(t testing.TB, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		t.Fatal(err)
	}
	return at.UTC()
}

package transform_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/flashback-sync/flashback-sync/schema"
	"github.com/flashback-sync/flashback-sync/transform"
)

// TestBatchesOfManyRows grow, shrink and begin again without a trace of what was
// there before.
func TestBatchesOfManyRows(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	batch := newBatch(t, schema.Violations())
	at := utc(t, "2024-01-15T10:30:00Z")
	for _, size := range []int{3, 3000, 1, 64, 65, 2000, 5000} {
		var want []row
		for i := range size {
			r, fields := row{}, ""
			for _, c := range schema.Violations().Batch() {
				r[c.Name] = nil
			}
			r["id"], r["timestamp"] = fmt.Sprint("v", i), at
			if random.IntN(3) > 0 {
				text := strings.Repeat("é", random.IntN(50))
				if i == 2345 {
					text = strings.Repeat("x", 1<<20)
				}
				r["explanation"] = text
				fields += `,"explanation":"` + text + `"`
			}
			if n := random.IntN(3); n > 0 {
				r["block"] = n == 1
				fields += fmt.Sprint(`,"block":`, n == 1)
			}
			if random.IntN(9) == 0 {
				r["extra"] = `{"new":1}`
				fields += `,"new":1`
			}
			record := fmt.Sprintf(`{"id":"v%d","timestamp":"2024-01-15T10:30:00Z"%s}`, i, fields)
			if outcome := batch.Add([]byte(record)); outcome != transform.Added {
				t.Fatalf("%.200s: outcome %v", record, outcome)
			}
			want = append(want, r)
		}
		got, built := take(t, batch)
		for i := range want {
			if !maps.Equal(want[i], got[i]) {
				t.Fatalf("row %d of %d: %.300v, want %.300v", i, size, got[i], want[i])
			}
		}
		for i, column := range built.Record.Columns() {
			if text, isText := column.(*array.String); isText && text.ValidateFull() != nil {
				t.Errorf("column %d: %v", i, text.ValidateFull())
			}
			nulls := 0
			for j := range column.Len() {
				if column.IsNull(j) {
					nulls++
				}
			}
			if column.NullN() != nulls {
				t.Errorf("column %d: %d are NULL, it says %d", i, nulls, column.NullN())
			}
		}
	}
}

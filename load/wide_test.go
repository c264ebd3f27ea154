package load_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/flashback-sync/flashback-sync/load"
)

// A transaction of long texts is larger than what DuckDB may hold in memory.
func TestATransactionLargerThanMemory(t *testing.T) {
	t.Parallel()
	for name, length := range map[string]int{"short": 400, "long": 3000, "beyond_a_block": 30_000, "huge": 2_000_000} {
		t.Run(name, func(t *testing.T) {
			dir, ctx := t.TempDir(), context.Background()
			w := open(t, dir)
			size := 96 << 20 // as a run commits them
			if length > 800 {
				size = 16 << 20
			}
			chunk := min(15_360, 12<<20/length+1)
			stored := 0
			for _, run := range []string{"run-1", "run-2"} {
				n, done := 0, int64(0)
				for n*length < size {
					var rows []alert
					for range chunk {
						text := strings.Repeat(fmt.Sprintf("%07d, ", n*7919%9_999_991), length/9) + run
						rows = append(rows, alert{fmt.Sprintf("id-%08d", n), epoch.Add(time.Duration(n) * time.Second), text})
						n++
					}
					updated, err := w.Add(ctx, run, "alerts", batch(t, rows...))
					if err != nil {
						t.Fatal(err)
					}
					if updated > 0 || n*length >= size { // as a run does
						counts, err := w.Commit(ctx, load.Commit{RunID: run, Stream: "alerts"})
						if err != nil {
							t.Fatal(err)
						}
						done += counts.Inserted + counts.Updated
					}
				}
				if done != int64(n) {
					t.Fatalf("%s: %d of %d rows", run, done, n)
				}
				stored = max(stored, n)
				size = 16 << 20 // updates are committed after each batch
			}
			if err := w.CloseFile(ctx); err != nil {
				t.Error(err)
			}
			if got := query(t, dir, "SELECT count(*) || ' ' || count(DISTINCT message) FROM alerts"); got != fmt.Sprintf("%d %[1]d", stored) {
				t.Errorf("%s rows of %d", got, stored)
			}
		})
	}
}

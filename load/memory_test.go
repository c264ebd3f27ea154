package load_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/flashback-sync/flashback-sync/load"
	"github.com/flashback-sync/flashback-sync/load/duckdb"
)

// More long texts lie together than DuckDB may hold at first: commits and the
// checkpoint fail, and the file cannot be opened again as it was before.
func TestMemoryGrowsForLongTexts(t *testing.T) {
	t.Parallel()
	for name, size := range map[string]struct{ rows, length int }{"a megabyte": {100, 1_000_000}, "a tenth of it": {1100, 100_000}} {
		t.Run(name, func(t *testing.T) {
			dir, ctx := t.TempDir(), context.Background()
			w := open(t, dir)
			chunk := 16<<20/size.length + 1 // as a run commits them
			failures := 0
			for n := 0; n < size.rows; {
				var some []alert
				for i := n; i < min(n+chunk, size.rows); i++ {
					some = append(some, alert{fmt.Sprintf("id-%04d", i), epoch.Add(time.Duration(i) * time.Second), strings.Repeat(fmt.Sprintf("%04d ", i), size.length/5)})
				}
				_, err := w.Commit(ctx, load.Commit{RunID: "run-1", Stream: "alerts", Rows: []load.Rows{batch(t, some...)}})
				var refused *duckdb.StorageError
				switch {
				case err == nil:
					n += len(some)
				case !errors.As(err, &refused) || !refused.MoreMemory:
					t.Fatal(err)
				default:
					failures++
					if err := w.Recover(ctx); err != nil {
						t.Fatal(err)
					}
				}
			}
			if failures < 1 || failures > 2 {
				t.Errorf("%d commits failed", failures)
			}
			if err := w.CloseFile(ctx); err != nil {
				t.Fatal(err)
			}
			want := fmt.Sprintf("%[1]d %[1]d %[1]d", size.rows)
			if got := query(t, dir, "SELECT count(DISTINCT id) || ' ' || count(DISTINCT message) || ' ' || count(*) FROM alerts"); got != want {
				t.Errorf("ids, messages and rows: %s, want %s", got, want)
			}
		})
	}
}

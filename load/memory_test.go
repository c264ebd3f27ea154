package load_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/flashback-sync/flashback-sync/load"
)

// More long texts lie together than DuckDB may hold at first: a checkpoint fails, and
// the file could not be opened again as it was before.
func TestTextsThatNeedMoreMemoryGetIt(t *testing.T) {
	dir, ctx := t.TempDir(), context.Background()
	w := open(t, dir)
	const rows, chunk = 120, 12
	failures := 0
	for n := 0; n < rows; n += chunk {
		var some []alert
		for i := n; i < n+chunk; i++ {
			some = append(some, alert{fmt.Sprintf("id-%03d", i), epoch.Add(time.Duration(i) * time.Second), strings.Repeat(fmt.Sprintf("%03d ", i), 250_000)})
		}
		commit := load.Commit{RunID: "run-1", Stream: "alerts", Rows: []load.Rows{batch(t, some...)}}
		if _, err := w.Commit(ctx, commit); err == nil {
			continue
		}
		failures++
		if err := w.Recover(ctx); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Commit(ctx, commit); err != nil {
			t.Fatal(err)
		}
	}
	if failures > 1 {
		t.Errorf("%d commits failed", failures)
	}
	if err := w.CloseFile(ctx); err != nil {
		t.Fatal(err)
	}
	if got := query(t, dir, "SELECT count(DISTINCT id) || ' ' || count(DISTINCT message) || ' ' || count(*) FROM alerts"); got != "120 120 120" {
		t.Errorf("ids, messages and rows: %s", got)
	}
}

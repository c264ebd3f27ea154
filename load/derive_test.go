package load_test

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/flashback-sync/flashback-sync/load"
	"github.com/flashback-sync/flashback-sync/load/derived"
	"github.com/flashback-sync/flashback-sync/load/duckdb"
)

// Days of more events than a step has are computed one after another, with the latest names
// of all days, whichever step they are in.
func TestDerivedTablesOfManyEventsAreComputedInSteps(t *testing.T) {
	t.Parallel()
	ctx, dir := context.Background(), t.TempDir()
	if err := open(t, dir).Close(); err != nil {
		t.Fatal(err)
	}
	session := duckdb.Session{MemoryLimit: duckdb.LeastMemory, TempDir: filepath.Join(dir, "tmp"), Background: true}
	const days, perDay = 4, 30_000 // of each
	insert := func(table string) string {
		return fmt.Sprintf(`INSERT INTO %s (id, timestamp, policy_id, policy_name, repo_id, repo_ai_api_key_id, llm_model, llm_type, _first_synced_at, _last_changed_at, _run_id, date)
			SELECT n, noon, 'policy', 'name ' || n // %d, id || n %% 40, id || n %% 41, id || n %% 43, id || n, noon, noon, 'run', CAST(noon AS DATE)
			FROM (SELECT n, TIMESTAMPTZ '2024-01-01 12:00:00Z' + to_days(CAST(n // %[2]d AS INTEGER)) AS noon, 'an id too long to be stored in place ' AS id FROM range(%[3]d) r(n))`,
			table, perDay, days*perDay)
	}
	err := duckdb.Use(ctx, load.File(dir), session, func(conn *sql.Conn) error {
		return duckdb.Transact(ctx, conn, "derive", func(tx *sql.Tx) error {
			err := duckdb.Execute(ctx, tx,
				insert("alerts"), insert("violations"),
				"INSERT INTO internal.changed_partitions SELECT DISTINCT 'alerts', date_trunc('day', timestamp) FROM alerts")
			if err != nil {
				return err
			}
			return derived.Update(ctx, tx, nil, nil, epoch.Add(time.Hour))
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	for statement, want := range map[string]string{
		"SELECT count(*) || ' ' || count(DISTINCT provider) || ' ' || count(DISTINCT day) || ' ' || sum(events) FROM events_daily": "240000 120000 4 240000",
		"SELECT string_agg(DISTINCT policy_name) FROM events_daily":                                                                "name 3",
		"SELECT count(*) FROM names_daily WHERE dimension = 'policy' AND alerts = 30000 AND violations = 30000":                    "4",
	} {
		if got := query(t, dir, statement); got != want {
			t.Errorf("%s: %s, want %s", statement, got, want)
		}
	}
}

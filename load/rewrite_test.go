package load_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/flashback-sync/flashback-sync/checkpoints"
	"github.com/flashback-sync/flashback-sync/load"
	"github.com/flashback-sync/flashback-sync/load/duckdb"
	"github.com/flashback-sync/flashback-sync/load/rewrite"
	"github.com/flashback-sync/flashback-sync/schema"
)

// kept is a warehouse with rows in every private table and in most others.
func kept(t testing.TB, dir string, alerts ...alert) *load.Warehouse {
	t.Helper()
	ctx, w := context.Background(), open(t, dir)
	if err := w.StartRun(ctx, "run-1", []string{"alerts"}, epoch); err != nil {
		t.Fatal(err)
	}
	_, err := w.Commit(ctx, load.Commit{
		RunID: "run-1", Stream: "alerts", Rows: []load.Rows{batch(t, alerts...)},
		Rejects: []schema.Reject{{Reason: "id is missing", Raw: `{"x":1}`}},
		Coverage: []load.Coverage{{
			Key: checkpoints.Key{Stream: "alerts", Filter: "{}"}, Status: checkpoints.Covered,
			Set: checkpoints.Of(checkpoints.Interval{From: epoch, To: epoch.AddDate(1, 0, 0)}),
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Derive(ctx, nil, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := w.NextGeneration(ctx); err != nil {
		t.Fatal(err)
	}
	retain(t, w, load.Keep{}, epoch)
	return w
}

// published takes everything off the list of what is to be published.
func published(t testing.TB, w *load.Warehouse, dir string) {
	t.Helper()
	for _, table := range schema.Tables() {
		starts, err := w.Changed(context.Background(), table)
		if err == nil {
			err = w.MarkPublished(context.Background(), table, starts)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Remove(filepath.Join(dir, load.Unpublished)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
}

// rowsOf are the rows of all tables of a database, in their order, by table.
func rowsOf(t testing.TB, db *sql.Conn) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	for _, table := range strings.Fields(one(t, db, `SELECT string_agg(schema_name || '.' || table_name, ' ') FROM duckdb_tables() WHERE database_name = current_database()`)) {
		all[table] = textsOf(t, db, table)
	}
	return all
}

func textsOf(t testing.TB, db *sql.Conn, table string) []string {
	t.Helper()
	rows, err := db.QueryContext(context.Background(), fmt.Sprintf("SELECT t::VARCHAR FROM %s t ORDER BY rowid", table))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	all := []string{}
	for rows.Next() {
		var row sql.NullString
		if err := rows.Scan(&row); err != nil {
			t.Fatal(err)
		}
		all = append(all, row.String)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

func one(t testing.TB, db *sql.Conn, query string) string {
	t.Helper()
	var value any
	if err := db.QueryRowContext(context.Background(), query).Scan(&value); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return fmt.Sprint(value)
}

func rewritten(t testing.TB, w *load.Warehouse, r rewrite.Changes) rewrite.Counts {
	t.Helper()
	done, err := w.Rewrite(context.Background(), r)
	if err != nil {
		t.Fatal(err)
	}
	return done
}

func TestRewriteThatNamesNothingChangesNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	w := kept(t, dir, alert{"a", epoch, "x"}, alert{"b", epoch.AddDate(0, 2, 0), "y"}, alert{"c", epoch.Add(-time.Hour), "z"})
	before, shape := rowsOf(t, w.Conn()), layoutOf(t, w.Conn())
	if done := rewritten(t, w, rewrite.Changes{}); len(done.Removed)+len(done.Changed) > 0 {
		t.Errorf("%+v", done)
	}
	if diff := cmp.Diff(before, rowsOf(t, w.Conn())); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(shape, layoutOf(t, w.Conn())); diff != "" {
		t.Error(diff)
	}
	if got := one(t, w.Conn(), "SELECT free_blocks FROM pragma_database_size() WHERE database_name = current_database()"); got != "0" {
		t.Errorf("%s free blocks", got)
	}
	if info, err := os.Stat(load.File(dir)); err != nil || info.Mode() != 0o640 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	if _, err := os.Stat(filepath.Join(dir, load.Unpublished)); err != nil {
		t.Errorf("the published file is of the old one: %v", err)
	}
}

// layoutOf is everything that the file declares: tables, columns, comments and views.
func layoutOf(t testing.TB, db *sql.Conn) string {
	t.Helper()
	return one(t, db, `SELECT string_agg(line, chr(10) ORDER BY line) FROM (
		SELECT concat_ws('|', schema_name, table_name, column_name, data_type, is_nullable, comment) AS line FROM duckdb_columns() WHERE NOT internal AND database_name = current_database()
		UNION ALL SELECT concat_ws('|', schema_name, table_name, sql, comment) FROM duckdb_tables() WHERE database_name = current_database()
		UNION ALL SELECT concat_ws('|', schema_name, view_name, sql, comment) FROM duckdb_views() WHERE NOT internal AND database_name = current_database()
		UNION ALL SELECT concat_ws('|', schema_name, comment) FROM duckdb_schemas() WHERE database_name = current_database())`)
}

func TestRewriteLeavesOutRowsAndChangesColumns(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	at := func(days int) time.Time { return epoch.AddDate(0, 0, days) }
	w := kept(t, dir, alert{"a", at(0), "x"}, alert{"b", at(1), "secret"}, alert{"c", at(2), "y"}, alert{"d", at(3), "plain"}, alert{"e", at(3).Add(1), "y"})
	published(t, w, dir)
	before := rowsOf(t, w.Conn())
	done := rewritten(t, w, rewrite.Changes{
		Functions: map[string]duckdb.Function{"blank": {Arguments: 2, Call: func(texts []*string) *string {
			if texts[1] != nil {
				return nil // never: repo_id is NULL
			}
			text := strings.ReplaceAll(*texts[0], "plain", "changed")
			return &text
		}}},
		Before: func(ctx context.Context, tx *sql.Tx) error {
			_, err := tx.ExecContext(ctx, "CREATE TEMP TABLE secrets AS SELECT id FROM old.main.alerts WHERE message = 'secret'")
			return err
		},
		Where:   map[string]string{"alerts": "id NOT IN (SELECT id FROM temp.secrets) AND nullif(id, 'a') <> 'z'", "rejected_records": "false"},
		Columns: map[string]map[string]string{"alerts": {"message": "blank(message, repo_id)", "extra": "extra"}},
		Then: func(ctx context.Context, tx *sql.Tx) error {
			_, err := tx.ExecContext(ctx, "INSERT INTO internal.meta VALUES ('privacy', 'x')")
			return err
		},
	})
	want := rewrite.Counts{Removed: map[string]int64{"alerts": 2, "rejected_records": 1}, Changed: map[string]int64{"alerts": 1}}
	if diff := cmp.Diff(want, done); diff != "" {
		t.Error(diff)
	}
	after := rowsOf(t, w.Conn())
	alerts := before["main.alerts"]
	before["main.alerts"] = []string{alerts[2], strings.ReplaceAll(alerts[3], "plain", "changed"), alerts[4]}
	before["main.rejected_records"] = []string{}
	before["internal.meta"] = append(before["internal.meta"], "{'key': privacy, 'value': x}")
	before["internal.changed_partitions"] = after["internal.changed_partitions"]
	if diff := cmp.Diff(before, after); diff != "" {
		t.Error(diff)
	}
	days, err := w.Changed(context.Background(), schema.Alerts())
	if diff := cmp.Diff([]time.Time{at(0), at(1), at(3)}, days); diff != "" || err != nil {
		t.Error(diff, err)
	}
}

// Whatever a function gets and returns is exactly the text that is stored.
func TestRewriteGivesFunctionsExactTexts(t *testing.T) {
	t.Parallel()
	texts := []string{"", "short", "\x00 and \x00", "日本語 😀", strings.Repeat("long ", 50_000), "twelve bytes", "13 bytes long"}
	var rows []alert
	for i, text := range texts {
		rows = append(rows, alert{fmt.Sprint(i), epoch, text})
	}
	dir := t.TempDir()
	w := kept(t, dir, rows...)
	seen := map[string]bool{}
	before := rowsOf(t, w.Conn())
	same := duckdb.Function{Arguments: 1, Call: func(texts []*string) *string {
		if texts[0] != nil {
			seen[*texts[0]] = true
		}
		return texts[0]
	}}
	done := rewritten(t, w, rewrite.Changes{
		Functions: map[string]duckdb.Function{"same": same},
		Columns:   map[string]map[string]string{"alerts": {"message": "same(message)", "user_name": "same(user_name)"}},
	})
	if len(done.Changed)+len(done.Removed) > 0 {
		t.Errorf("%+v", done)
	}
	if diff := cmp.Diff(before, rowsOf(t, w.Conn())); diff != "" {
		t.Error(diff)
	}
	for _, text := range texts {
		if !seen[text] {
			t.Errorf("%q was not seen", text[:min(20, len(text))])
		}
	}
}

func TestFailedRewriteLeavesTheOldFileOpen(t *testing.T) {
	t.Parallel()
	boom := errors.New("boom")
	invalid, calls := "\xff", 0
	fails := func(context.Context, *sql.Tx) error { return boom }
	for name, r := range map[string]rewrite.Changes{
		"before":    {Before: fails},
		"then":      {Then: fails},
		"table":     {Where: map[string]string{"nothing": "true"}},
		"column":    {Columns: map[string]map[string]string{"alerts": {"nothing": "''"}}},
		"time":      {Columns: map[string]map[string]string{"alerts": {"timestamp": "now()"}}},
		"partition": {Columns: map[string]map[string]string{"alerts": {"date": "current_date"}}},
		"syntax":    {Where: map[string]string{"alerts": "1 +"}},
		"not null":  {Columns: map[string]map[string]string{"alerts": {"id": "NULL"}}},
		"not the same": {
			Functions: map[string]duckdb.Function{"once": {Arguments: 1, Call: func([]*string) *string {
				if calls++; calls > 1 {
					return nil
				}
				return new("")
			}}},
			Where: map[string]string{"alerts": "once(id) IS NOT NULL"},
		},
		"no JSON":       {Columns: map[string]map[string]string{"alerts": {"extra": "'{'"}}},
		"a longer list": {Before: func(ctx context.Context, tx *sql.Tx) error { return tx.Rollback() }},
		"no UTF-8": {
			Functions: map[string]duckdb.Function{"bad": {Call: func([]*string) *string { return &invalid }}},
			Columns:   map[string]map[string]string{"alerts": {"message": "bad()"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			var rows []alert
			for i := range 1000 {
				rows = append(rows, alert{fmt.Sprint(i), epoch, "x"})
			}
			w := kept(t, dir, rows...)
			published(t, w, dir)
			before := rowsOf(t, w.Conn())
			_, err := w.Rewrite(context.Background(), r)
			var storage *duckdb.StorageError
			if !errors.As(err, &storage) {
				t.Errorf("%v", err)
			}
			if diff := cmp.Diff(before, rowsOf(t, w.Conn())); diff != "" {
				t.Error(diff)
			}
			if left, _ := filepath.Glob(load.File(dir) + ".*"); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
			if counts := commit(t, w, "run-2", batch(t, alert{"later", epoch, "x"})); counts.Inserted != 1 {
				t.Errorf("%+v", counts)
			}
		})
	}
}

func TestCancelledRewriteLeavesTheOldFileOpen(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	w := kept(t, dir, alert{"a", epoch, "x"})
	before := rowsOf(t, w.Conn())
	ctx, cancel := context.WithCancel(context.Background())
	_, err := w.Rewrite(ctx, rewrite.Changes{Before: func(context.Context, *sql.Tx) error { cancel(); return nil }})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if diff := cmp.Diff(before, rowsOf(t, w.Conn())); diff != "" {
		t.Error(diff)
	}
}

// Whoever has a published file open, or a copy of the warehouse, keeps it.
func TestRewriteDoesNotDisturbReaders(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	w := kept(t, dir, alert{"a", epoch, "x"}, alert{"b", epoch, "y"})
	if err := w.CloseFile(context.Background()); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "flashback.duckdb")
	overwrite(t, path, contents(t, load.File(dir)))
	db, err := duckdb.Open(path, duckdb.Session{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if err := w.Reopen(context.Background()); err != nil {
		t.Fatal(err)
	}
	rewritten(t, w, rewrite.Changes{Where: map[string]string{"alerts": "id <> 'a'"}})
	var ids string
	if err := db.QueryRow("SELECT string_agg(id, ' ') FROM alerts").Scan(&ids); err != nil || ids != "a b" {
		t.Errorf("%s %v", ids, err)
	}
	if got := one(t, w.Conn(), "SELECT string_agg(id, ' ') FROM alerts"); got != "b" {
		t.Error(got)
	}
}

// More long texts lie together than DuckDB may hold, also as results of a function.
func TestRewriteOfLongTexts(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := kept(t, dir, alert{"first", epoch, "x"}).Close(); err != nil {
		t.Fatal(err)
	}
	edit(t, load.File(dir), `INSERT INTO alerts BY NAME SELECT n::VARCHAR AS id, TIMESTAMPTZ '2024-01-01 00:00:00Z' + to_hours(n::INTEGER) AS timestamp, CAST(timestamp AS DATE) AS date,
		repeat(md5(n::VARCHAR), CASE WHEN n = 700 THEN 200000 WHEN n < 2000 THEN 2 ELSE 1500 END) AS message,
		'run-1' AS _run_id, timestamp AS _first_synced_at, timestamp AS _last_changed_at FROM range(4300) r(n)`)
	const sum = "SELECT string_agg(id || md5(message), ' ' ORDER BY rowid) FROM alerts WHERE id <> '700'"
	before := query(t, dir, sum)
	w := open(t, dir)
	lowercase := duckdb.Function{Arguments: 1, Call: func(texts []*string) *string {
		text := strings.ToLower(*texts[0])
		return &text
	}}
	done := rewritten(t, w, rewrite.Changes{
		Functions: map[string]duckdb.Function{"lowercase": lowercase},
		Where:     map[string]string{"alerts": "id <> '700'"},
		Columns:   map[string]map[string]string{"alerts": {"message": "lowercase(message)"}},
	})
	if err := w.Close(); err != nil {
		t.Error(err)
	}
	if done.Removed["alerts"] != 1 || len(done.Changed) > 0 || query(t, dir, sum) != before {
		t.Errorf("%+v, or other texts", done)
	}
}

package load_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"go.uber.org/goleak"

	"github.com/flashback-sync/flashback-sync/checkpoints"
	"github.com/flashback-sync/flashback-sync/internal/race"
	"github.com/flashback-sync/flashback-sync/load"
	"github.com/flashback-sync/flashback-sync/load/duckdb"
	"github.com/flashback-sync/flashback-sync/schema"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// unraced leaves a test out under the race detector: make test runs those named Rewrite without it.
func unraced(t *testing.T) {
	t.Helper()
	if race.Enabled {
		t.Skip("it is run without the race detector")
	}
}

var epoch = time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)

// alert is what the tests vary of a row.
type alert struct {
	id      string
	at      time.Time
	message string
}

// batch makes rows of the alerts table.
func batch(t testing.TB, alerts ...alert) load.Rows {
	t.Helper()
	table := schema.Alerts()
	builder := array.NewRecordBuilder(memory.DefaultAllocator, table.BatchSchema())
	defer builder.Release()
	rows := load.Rows{Table: table}
	for i, a := range alerts {
		for j, c := range table.Batch() {
			switch c.Name {
			case "id":
				builder.Field(j).(*array.StringBuilder).Append(a.id)
			case "timestamp":
				builder.Field(j).(*array.TimestampBuilder).Append(arrow.Timestamp(a.at.UnixMicro()))
			case "message":
				builder.Field(j).(*array.StringBuilder).Append(a.message)
			default:
				builder.Field(j).AppendNull()
			}
		}
		if i == 0 || a.at.Before(rows.Oldest) {
			rows.Oldest = a.at
		}
		if i == 0 || a.at.After(rows.Newest) {
			rows.Newest = a.at
		}
	}
	rows.Record = builder.NewRecordBatch()
	t.Cleanup(rows.Record.Release)
	return rows
}

func open(t testing.TB, dir string) *load.Warehouse {
	t.Helper()
	w, err := load.Open(context.Background(), load.Options{Dir: dir, Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	return w
}

func commit(t testing.TB, w *load.Warehouse, run string, rows load.Rows, covered ...load.Coverage) load.Counts {
	t.Helper()
	counts, err := w.Commit(context.Background(), load.Commit{RunID: run, Stream: "alerts", Rows: []load.Rows{rows}, Coverage: covered})
	if err != nil {
		t.Fatal(err)
	}
	return counts
}

// query reads one value of the private file after the warehouse was closed.
func query(t testing.TB, dir, sql string) string {
	t.Helper()
	db, err := duckdb.Open(load.File(dir), duckdb.Session{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	var value any
	if err := db.QueryRow(sql).Scan(&value); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return fmt.Sprint(value)
}

func TestUpsertCountsNewChangedAndUnchangedRows(t *testing.T) {
	dir := t.TempDir()
	w := open(t, dir)
	first := commit(t, w, "run-1", batch(t, alert{"a", epoch, "x"}, alert{"b", epoch.Add(time.Hour), "x"}))
	again := commit(t, w, "run-2", batch(t, alert{"a", epoch, "x"}, alert{"b", epoch.Add(2 * time.Hour), "x"}, alert{"c", epoch, "x"}))
	if first != (load.Counts{Inserted: 2}) || again != (load.Counts{Inserted: 1, Updated: 1, Unchanged: 1}) {
		t.Errorf("first %+v, again %+v", first, again)
	}
	_ = w.Close()
	for sql, want := range map[string]string{
		"SELECT count(*) || ' ' || count(DISTINCT id) FROM alerts":                                          "3 3",
		"SELECT string_agg(_run_id, ' ' ORDER BY id) FROM alerts":                                           "run-1 run-2 run-2",
		"SELECT count(*) FROM alerts WHERE _first_synced_at = _last_changed_at":                             "2",
		"SELECT _first_synced_at < _last_changed_at FROM alerts WHERE id = 'b'":                             "true",
		"SELECT count(*) FROM information_schema.tables WHERE table_name IN ('incoming', 'delta', 'moved')": "0",
		"SELECT count(*) || ' ' || count(DISTINCT partition_start) FROM internal.changed_partitions":        "1 1",
		"SELECT count(*) FROM duckdb_indexes()":                                                             "0",
		"SELECT strftime(timestamp, '%Y-%m-%d %H:%M') FROM alerts WHERE id = 'b'":                           "2024-01-01 02:00",
	} {
		if got := query(t, dir, sql); got != want {
			t.Errorf("%s: %s, want %s", sql, got, want)
		}
	}
}

func TestRowWhoseTimeMovedFarReplacesItsFormerVersion(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	w := open(t, dir)
	commit(t, w, "run-1", batch(t, alert{"a", epoch, "x"}, alert{"b", epoch, "x"}))
	if _, err := w.Dedupe(ctx, "run-1", schema.Alerts()); err != nil {
		t.Fatal(err)
	}
	days, _ := w.Changed(ctx, schema.Alerts())
	if err := w.MarkPublished(ctx, schema.Alerts(), days); err != nil {
		t.Fatal(err)
	}
	counts := commit(t, w, "run-2", batch(t, alert{"a", epoch.AddDate(0, 2, 0), "x"}))
	correction, err := w.Dedupe(ctx, "run-2", schema.Alerts())
	if err != nil || counts.Inserted+correction.Inserted != 0 || correction.Updated != 1 {
		t.Errorf("counts %+v, correction %+v, %v", counts, correction, err)
	}
	days, _ = w.Changed(ctx, schema.Alerts())
	if len(days) != 2 {
		t.Errorf("changed partitions %v: the old day and the new one are due", days)
	}
	_ = w.Close()
	if got := query(t, dir, "SELECT count(*) || ' ' || max(timestamp)::DATE || ' ' || (min(_first_synced_at) = max(_first_synced_at)) FROM alerts"); got != "2 2024-03-01 true" {
		t.Errorf("got %s", got)
	}
}

func TestRunsThatDiedBeforeDedupeAreDedupedLater(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	w := open(t, dir)
	commit(t, w, "run-1", batch(t, alert{"a", epoch, "old"}))
	commit(t, w, "run-2", batch(t, alert{"a", epoch.AddDate(1, 0, 0), "new"})) // killed here
	_ = w.Close()
	w = open(t, dir)
	commit(t, w, "run-3", batch(t, alert{"b", epoch, "x"}))
	if _, err := w.Dedupe(ctx, "run-3", schema.Alerts()); err != nil {
		t.Fatal(err)
	}
	_ = w.Close()
	if got := query(t, dir, "SELECT string_agg(id || message, ' ' ORDER BY id) FROM alerts"); got != "anew bx" {
		t.Errorf("got %s", got)
	}
}

func TestRowsAndLedgerAreCommittedTogetherOrNotAtAll(t *testing.T) {
	dir := t.TempDir()
	w := open(t, dir)
	key := checkpoints.Key{Stream: "alerts", Filter: "{}"}
	covered := load.Coverage{Key: key, Status: checkpoints.Covered, Set: checkpoints.Of(checkpoints.Interval{From: epoch, To: epoch.Add(time.Hour)})}
	good := batch(t, alert{"a", epoch, "x"})
	bad := good
	bad.Table = schema.Violations() // whose columns it lacks
	_, err := w.Commit(context.Background(), load.Commit{RunID: "run-1", Stream: "alerts", Rows: []load.Rows{good, bad}, Coverage: []load.Coverage{covered}})
	var refused *duckdb.StorageError
	if !errors.As(err, &refused) {
		t.Fatalf("rows without the table's columns were committed: %v", err)
	}
	set, err := w.Coverage(context.Background(), key, checkpoints.Covered)
	if err != nil || len(set) != 0 {
		t.Errorf("the ledger kept %v, %v", set, err)
	}
	if counts := commit(t, w, "run-1", batch(t, alert{"a", epoch, "x"}), covered); counts.Inserted != 1 {
		t.Errorf("the failed commit left rows: %+v", counts)
	}
	if set, _ = w.Coverage(context.Background(), key, checkpoints.Covered); len(set) != 1 {
		t.Errorf("the ledger holds %v", set)
	}
}

func TestSecondInstanceIsRefused(t *testing.T) {
	dir := t.TempDir()
	open(t, dir)
	if _, err := load.Open(context.Background(), load.Options{Dir: dir}); !errors.Is(err, load.ErrLocked) {
		t.Errorf("got %v", err)
	}
}

func TestUnusableFilesAreLeftUntouched(t *testing.T) {
	foreign := func(t *testing.T, path string) {
		db, err := duckdb.Open(path, duckdb.Session{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := db.Exec("CREATE TABLE theirs (x INTEGER)"); err != nil {
			t.Fatal(err)
		}
		_ = db.Close()
	}
	for name, damage := range map[string]func(t *testing.T, path string){
		"text":    func(t *testing.T, path string) { overwrite(t, path, []byte("hello, I am no database at all")) },
		"empty":   func(t *testing.T, path string) { overwrite(t, path, nil) },
		"foreign": func(t *testing.T, path string) { _ = os.Remove(path); foreign(t, path) },
		"cut": func(t *testing.T, path string) {
			content, _ := os.ReadFile(path)
			overwrite(t, path, content[:8192])
		},
		"newer": func(t *testing.T, path string) {
			db, err := duckdb.Open(path, duckdb.Session{})
			if err != nil {
				t.Fatal(err)
			}
			_, _ = db.Exec("UPDATE internal.meta SET value = '999' WHERE key = 'schema_version'")
			_ = db.Close()
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			_ = open(t, dir).Close()
			damage(t, load.File(dir))
			before, _ := os.ReadFile(load.File(dir))
			_, err := load.Open(context.Background(), load.Options{Dir: dir})
			var damaged *duckdb.DamagedError
			if !errors.As(err, &damaged) {
				t.Errorf("opened, or another error: %v", err)
			}
			after, _ := os.ReadFile(load.File(dir))
			if string(before) != string(after) {
				t.Error("the file was changed")
			}
		})
	}
}

func overwrite(t testing.TB, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestRejectsAreKeptOnce(t *testing.T) {
	dir := t.TempDir()
	w := open(t, dir)
	for _, run := range []string{"run-1", "run-2"} {
		_, err := w.Commit(context.Background(), load.Commit{RunID: run, Stream: "alerts", Rejects: []schema.Reject{{Reason: "id is missing", Raw: `{"x":"it's"}`}}})
		if err != nil {
			t.Fatal(err)
		}
	}
	_ = w.Close()
	if got := query(t, dir, "SELECT count(*) FROM rejected_records WHERE abs(epoch(now()) - epoch(rejected_at)) < 600"); got != "1" {
		t.Error("a reject that came alone is not dated")
	}
	if got := query(t, dir, "SELECT count(*) || min(run_id) || min(raw) FROM rejected_records"); got != `1run-1{"x":"it's"}` {
		t.Errorf("got %s", got)
	}
}

// Whether a reject came before the row of its id or after it, nobody knows: typed
// again, it must not replace the row.
func TestARejectIsNoLaterThanTheRowsOfItsTransaction(t *testing.T) {
	dir := t.TempDir()
	w := open(t, dir)
	_, err := w.Commit(context.Background(), load.Commit{
		RunID: "run-1", Stream: "alerts", Rows: []load.Rows{batch(t, alert{"a", epoch, "stored"})},
		Rejects: []schema.Reject{{Reason: "?", Raw: `{"id":"a"}`}},
	})
	if err != nil {
		t.Fatal(err)
	}
	rejects, err := w.Rejects(context.Background(), "alerts")
	if err != nil || len(rejects) != 1 {
		t.Fatal(rejects, err)
	}
	again := batch(t, alert{"a", epoch, "typed again"})
	again.Seen = rejects[0].Seen
	if counts := commit(t, w, "run-2", again); counts != (load.Counts{Unchanged: 1}) {
		t.Errorf("%+v", counts)
	}
}

package query_test

import (
	"bytes"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	bridge "github.com/duckdb/duckdb-go/v2"
	"go.uber.org/goleak"

	"github.com/flashback-sync/flashback-sync/internal/query"
	"github.com/flashback-sync/flashback-sync/load/duckdb"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// published is a DuckDB file with two tables, as read-only as it is published.
func published(t *testing.T) string {
	t.Helper()
	t.Setenv("TMPDIR", t.TempDir())
	path := filepath.Join(t.TempDir(), "flashback.duckdb")
	db, err := duckdb.Open(path, duckdb.Session{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), `CREATE TABLE alerts AS SELECT 'a' || range AS id, range AS n, ['LOW', 'HIGH'][range % 2 + 1] AS severity FROM range(1000);
		CREATE TABLE types AS FROM test_all_types()`); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(db.Close(), os.Chmod(path, 0o440)); err != nil {
		t.Fatal(err)
	}
	return path
}

func run(t *testing.T, r query.Request) (string, error) {
	t.Helper()
	if r.Format == "" {
		r.Format = "csv"
	}
	if r.Limits == (query.Limits{}) {
		r.Limits = query.DefaultLimits()
	}
	var out bytes.Buffer
	err := query.Run(t.Context(), r, query.Output{Writer: &out})
	return out.String(), err
}

func TestStatementsRunInOrder(t *testing.T) {
	path := published(t)
	for _, test := range []struct{ sql, want string }{
		{"SELECT 1 AS a; SELECT 2 AS b", "a\n1\n\nb\n2\n"},
		{"SELECT ';' AS a -- ; SELECT 3\n;;/* ; */ SELECT $$;$$ AS \";\";", "a\n;\n\n;\n;\n"},
		{"SELECT 1 AS a -- ';\n;SELECT ''';' AS b", "a\n1\n\nb\n';\n"},
		{"SELECT 1 AS a /* /* ; */ ; */; VALUES (2)", "a\n1\n\ncol0\n2\n"},
		{"-- nothing;\nSELECT E'\\';' AS a", "a\n';\n"},
		{"SELECT n FROM alerts WHERE n < 2 ORDER BY n DESC -- the end", "n\n1\n0\n"},
		{"SHOW TABLES", "name\nalerts\ntypes\n"},
		{"SELECT 1 AS a, 2 AS a", "a,a\n1,2\n"},
		{"PIVOT (SELECT severity, n FROM alerts) ON severity USING sum(n); FROM range(1)", "HIGH,LOW\n250000,249500\n\nrange\n0\n"},
		{"SELECT NULL AS a, '' AS b, ' c' AS c, 'd\"' AS d", "a,b,c,d\n,\"\",\" c\",\"d\"\"\"\n"},
		{"PRAGMA show_tables", "name\nalerts\ntypes\n"},
	} {
		if got, err := run(t, query.Request{Database: path, SQL: test.sql}); err != nil || got != test.want {
			t.Errorf("%s: %q, %v; want %q", test.sql, got, err, test.want)
		}
	}
	for _, sql := range []string{
		"DESCRIBE alerts", "SUMMARIZE alerts", "EXPLAIN SELECT 1", "EXPLAIN ANALYZE SELECT 1", "EXPLAIN (FORMAT json) SELECT 1",
		"EXPLAIN ANALYZE (SELECT 1)", "/* x */ EXPLAIN -- y\n SELECT 1", "SHOW ALL TABLES", "WITH x AS (SELECT 1) FROM x",
	} {
		if got, err := run(t, query.Request{Database: path, SQL: sql}); err != nil || strings.Count(got, "\n") < 2 {
			t.Errorf("%s: %q, %v", sql, got, err)
		}
	}
}

func TestQueryOnlyReads(t *testing.T) {
	path := published(t)
	dir := t.TempDir()
	target, secret := filepath.Join(dir, "target"), filepath.Join(dir, "token")
	if err := os.WriteFile(secret, []byte("top-secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	copying := "COPY (SELECT 'x') TO '" + path + "' (FORMAT csv, USE_TMP_FILE false)"
	for _, statement := range []string{
		copying, "EXPLAIN ANALYZE " + copying, "EXPLAIN (ANALYZE) " + copying, "EXPLAIN " + copying,
		"EXPLAIN ANALYZE /* SELECT 1 -- */ " + copying, "EXPLAIN ANALYZE -- SELECT 1\n" + copying,
		"SELECT 1; " + copying, "SELECT 1) q; " + copying + "; SELECT * FROM (SELECT 1",
		"SELECT 1 --\n) q; " + copying + ";--", copying + "; SELECT 1",
		"COPY (PIVOT alerts ON severity USING count(*)) TO '" + path + "' (FORMAT csv, USE_TMP_FILE false)",
		"EXPLAIN ANALYZE COPY (PIVOT alerts ON severity USING count(*)) TO '" + path + "'",
		"PREPARE p AS " + copying, "EXECUTE p", "COPY alerts FROM '" + secret + "'",
		"EXPORT DATABASE '" + target + "'", "IMPORT DATABASE '" + dir + "'", "COPY FROM DATABASE flashback TO memory",
		"ATTACH '" + target + "'", "ATTACH ':memory:' AS m", "DETACH flashback", "USE memory",
		"INSTALL httpfs", "LOAD httpfs", "INSTALL '" + secret + "'",
		"SELECT getenv('HOME')", "SELECT * FROM read_text('" + secret + "')", "SELECT * FROM read_csv('" + secret + "')",
		"SELECT * FROM '" + secret + "'", "SELECT * FROM glob('" + dir + "/*')", "SELECT * FROM read_blob('/proc/self/environ')",
		"SELECT * FROM query('" + strings.ReplaceAll(copying, "'", "''") + "')",
		"CREATE TABLE x (y INT)", "CREATE TEMP TABLE x AS SELECT 1", "CREATE TYPE x AS ENUM ('a')", "CREATE TEMP MACRO x() AS 1",
		"DROP TABLE alerts", "DELETE FROM alerts", "UPDATE alerts SET n = 1", "INSERT INTO alerts VALUES ('x', 1, 'y')", "ALTER TABLE alerts ADD COLUMN x INT",
		"SET memory_limit = '100GB'", "SET lock_configuration = false", "RESET enable_external_access", "SET VARIABLE x = 1",
		"PRAGMA memory_limit = '100GB'", "PRAGMA enable_profiling", "CALL enable_profiling()", "VACUUM", "CHECKPOINT", "ANALYZE", "BEGIN", "COMMIT",
		"FROM enable_profiling(format = 'json', save_location = '" + target + ".json'); SELECT 1",
		"SELECT 1; FROM ENABLE_LOGGING (storage = 'file', storage_path = '" + target + "'); SELECT 1",
		"CREATE SECRET (TYPE s3, KEY_ID 'x')", "COMMENT ON TABLE alerts IS 'x'", "", "-- nothing", "SELECT 1\x00", "SELECT $1",
	} {
		out, err := run(t, query.Request{Database: path, SQL: statement})
		var refused *query.StatementError
		if !errors.As(err, &refused) || out != "" {
			t.Errorf("%s: %v\n%s", statement, err, out)
		}
	}
	// What is a SELECT to DuckDB, but does more than read, may do so nowhere.
	for _, statement := range []string{
		"FROM checkpoint()", "FROM force_checkpoint()", "SELECT nextval('x')", "SELECT setseed(0.5)",
	} {
		_, _ = run(t, query.Request{Database: path, SQL: statement})
	}
	if after, err := os.ReadFile(path); err != nil || !bytes.Equal(before, after) {
		t.Errorf("the published file was changed (%v)", err)
	}
	for folder, want := range map[string][]string{dir: {"token"}, filepath.Dir(path): {"flashback.duckdb"}, os.TempDir(): nil} {
		if found := names(t, folder); !slices.Equal(found, want) {
			t.Errorf("%s holds %v, want %v", folder, found, want)
		}
	}
}

func names(t *testing.T, dir string) (all []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		all = append(all, entry.Name())
	}
	return all
}

func TestEveryLimitStopsAQuery(t *testing.T) {
	path := published(t)
	small := query.Limits{Memory: "100MB", Spill: "10MB", Time: time.Minute}
	for name, test := range map[string]struct {
		sql    string
		limits query.Limits
	}{
		"time":   {"SELECT a.n FROM alerts a, alerts b, alerts c, alerts d", query.Limits{Memory: "1GB", Spill: "1GB", Time: 300 * time.Millisecond}},
		"spill":  {"SELECT max(x) FROM (SELECT md5(a.id || b.id) AS x FROM alerts a, alerts b, range(20) ORDER BY x LIMIT 15000000)", small},
		"memory": {"SELECT length(string_agg(repeat(id, 1000000), '')) FROM alerts", small},
	} {
		formats := []string{"csv", "table"}
		if name == "time" {
			formats = append(formats, "json", "jsonl")
		}
		for _, format := range formats {
			_, err := run(t, query.Request{Database: path, SQL: test.sql, Limits: test.limits, Format: format})
			var limit *query.LimitError
			if !errors.As(err, &limit) || limit.Limit != name {
				t.Errorf("%s: %v, want the limit of %s", format, err, name)
			}
		}
	}
	if found := names(t, os.TempDir()); found != nil {
		t.Errorf("left over: %v", found)
	}
}

func TestASignalStopsAQuery(t *testing.T) {
	path := published(t)
	stop := errors.New("stopped")
	ctx, cancel := context.WithCancelCause(t.Context())
	out := &onWrite{do: func() { cancel(stop) }}
	err := query.Run(ctx, query.Request{Database: path, SQL: "SELECT a.n FROM alerts a, alerts b, alerts c", Format: "csv", Limits: query.DefaultLimits()}, query.Output{Writer: out})
	if !errors.Is(err, stop) {
		t.Error(err)
	}
}

type onWrite struct{ do func() }

func (w *onWrite) Write(p []byte) (int, error) { w.do(); return len(p), nil }

func TestRowsKeepTheirOrderAndALateErrorIsReported(t *testing.T) {
	path := published(t)
	out, err := run(t, query.Request{Database: path, SQL: "SELECT a.n * 1000 + b.n AS x FROM alerts a, alerts b WHERE a.n < 200 ORDER BY x DESC"})
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(out, "\n"), "\n")
	for i, line := range lines[1:] {
		if line != fmt.Sprint(199_999-i) {
			t.Fatalf("row %d is %s", i, line)
		}
	}
	if len(lines) != 200_001 {
		t.Errorf("%d lines", len(lines))
	}
	for _, format := range []string{"table", "csv", "json", "jsonl"} {
		_, err := run(t, query.Request{Database: path, Format: format, SQL: "SELECT CASE WHEN range = 38000 THEN error('late') ELSE 1 END FROM range(40000)"})
		if err == nil || !strings.Contains(err.Error(), "late") {
			t.Errorf("%s: %v", format, err)
		}
	}
}

// exact are values of types that DuckDB would write to a file as something else.
const exact = `(SELECT 170141183460469231731687303715884105::HUGEINT AS huge, '101'::BIT AS bit, TIMETZ '11:22:33+05:30' AS tz, 12.50::DECIMAL(9,2) AS money,
	TIMESTAMPTZ '2026-10-25 01:30:00.123456+00' AS moment, DATE '2026-08-30' AS day, NULL::BIGINT AS nothing, 'x' AS "na""me", ['a', NULL] AS list)`

func TestABinaryFileHoldsTheValues(t *testing.T) {
	path := published(t)
	for _, from := range []string{exact, "alerts", "(SELECT ['a', 'b'][range % 2 + 1]::ENUM ('a', 'b') AS e FROM range(5000))", "(PIVOT (SELECT severity, n FROM alerts) ON severity USING sum(n))"} {
		for _, format := range []string{"parquet", "arrow"} {
			target := filepath.Join(t.TempDir(), "result."+format)
			r := query.Request{Database: path, SQL: "FROM " + from, Format: format, Limits: query.DefaultLimits()}
			if err := query.ToFile(t.Context(), r, target, filepath.Dir(path)); err != nil {
				t.Fatalf("%s of %s: %v", format, from, err)
			}
			if found := names(t, filepath.Dir(target)); len(found) != 1 {
				t.Errorf("%v", found)
			}
			piped, err := run(t, r)
			if content, _ := os.ReadFile(target); err != nil || len(piped) != len(content) {
				t.Errorf("%s: %d bytes piped, %d in the file, %v", format, len(piped), len(content), err)
			}
			csv, err := run(t, query.Request{Database: path, SQL: r.SQL})
			if err != nil {
				t.Fatal(err)
			}
			if got := readBack(t, target, format); got != csv {
				t.Errorf("%s of %s:\n%.300s\nwant\n%.300s", format, from, got, csv)
			}
		}
	}
}

// readBack is a binary file as CSV, by way of a table.
func readBack(t *testing.T, file, format string) string {
	t.Helper()
	copied := filepath.Join(t.TempDir(), "copied.duckdb")
	db, err := sql.Open("duckdb", copied)
	if err != nil {
		t.Fatal(err)
	}
	if format == "parquet" {
		_, err = db.ExecContext(t.Context(), "CREATE TABLE t AS FROM read_parquet('"+file+"')")
	} else {
		err = copyArrow(t, db, file)
	}
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	out, err := run(t, query.Request{Database: copied, SQL: "FROM t"})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func copyArrow(t *testing.T, db *sql.DB, file string) error {
	t.Helper()
	in, err := os.Open(file)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	reader, err := ipc.NewFileReader(in)
	if err != nil {
		return err
	}
	var all []arrow.RecordBatch
	for i := range reader.NumRecords() {
		batch, err := reader.RecordBatchAt(i)
		if err != nil {
			return err
		}
		all = append(all, batch)
	}
	batches, err := array.NewRecordReader(reader.Schema(), all)
	if err != nil {
		return err
	}
	conn, err := db.Conn(t.Context())
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	return conn.Raw(func(raw any) error {
		lent, err := bridge.NewArrowFromConn(raw.(driver.Conn))
		if err != nil {
			return err
		}
		release, err := lent.RegisterView(batches, "v")
		if err != nil {
			return err
		}
		defer release()
		_, err = raw.(driver.ExecerContext).ExecContext(t.Context(), "CREATE TABLE t AS FROM v", nil)
		return err
	})
}

func TestOutputFileIsCompleteOrUnchanged(t *testing.T) {
	path := published(t)
	target := filepath.Join(t.TempDir(), "result.jsonl")
	r := query.Request{Database: path, SQL: "SELECT 1 AS a; SELECT 'x' AS b", Format: "jsonl", Limits: query.DefaultLimits()}
	if err := query.ToFile(t.Context(), r, target, filepath.Dir(path)); err != nil {
		t.Fatal(err)
	}
	const want = "{\"a\":1}\n{\"b\":\"x\"}\n"
	r.SQL = "SELECT CASE WHEN range = 190000 THEN error('late') ELSE 1 END FROM range(200000)"
	if err := query.ToFile(t.Context(), r, target, filepath.Dir(path)); err == nil {
		t.Error("no error")
	}
	if got, err := os.ReadFile(target); err != nil || string(got) != want || len(names(t, filepath.Dir(target))) != 1 {
		t.Errorf("%q, %v, %v", got, err, names(t, filepath.Dir(target)))
	}
	link, pipe := filepath.Join(t.TempDir(), "link"), filepath.Join(t.TempDir(), "to-data")
	if err := errors.Join(os.Symlink(target, link), os.Symlink(filepath.Dir(path), pipe)); err != nil {
		t.Fatal(err)
	}
	r.SQL = "SELECT 1"
	for _, refused := range []string{path, filepath.Join(filepath.Dir(path), "x.csv"), filepath.Join(pipe, "x.csv"), link, t.TempDir(), "/nowhere/x.csv", "/dev/null"} {
		if err := query.ToFile(t.Context(), r, refused, filepath.Dir(path)); err == nil {
			t.Errorf("%s was written", refused)
		}
	}
	r.Format, r.SQL = "parquet", "SELECT 1; SELECT 2"
	if _, err := run(t, r); err == nil || !strings.Contains(err.Error(), "one result") {
		t.Error(err)
	}
}

func TestAnExportReportsItsProgress(t *testing.T) {
	path := published(t)
	for format, sql := range map[string]string{"csv": "SELECT a.n FROM alerts a, alerts b, range(3)", "parquet": "SELECT md5(a.id || b.id) AS x FROM alerts a, alerts b, range(3)"} {
		var most, size int64
		target := filepath.Join(t.TempDir(), "out."+format)
		r := query.Request{Database: path, SQL: sql, Format: format, Limits: query.DefaultLimits(), Progress: func(rows, bytes int64) { most, size = max(most, rows), max(size, bytes) }}
		done, err := query.Export(t.Context(), r, nil, target, filepath.Dir(path))
		info, statErr := os.Stat(target)
		if err := errors.Join(err, statErr); err != nil {
			t.Fatal(err)
		}
		if done.Rows != 3_000_000 || done.Bytes != info.Size() || !strings.Contains(done.Completeness, "unknown") {
			t.Errorf("%s: %+v", format, done)
		}
		if size == 0 || size > done.Bytes || most > done.Rows || format == "csv" && most == 0 {
			t.Errorf("%s: reported %d rows, %d bytes", format, most, size)
		}
	}
}

func TestHostileNamesAreOnlyNames(t *testing.T) {
	path := filepath.Join(t.TempDir(), "flashback.duckdb")
	t.Setenv("TMPDIR", t.TempDir())
	const table = `a"b'; DROP TABLE alerts; --`
	db, err := duckdb.Open(path, duckdb.Session{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = db.ExecContext(t.Context(), `CREATE TABLE "a""b'; DROP TABLE alerts; --" AS SELECT 7 AS "x""y", DATE '2026-01-02' AS day UNION ALL SELECT 8, DATE '2026-01-01'`)
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	r := query.Request{Database: path, Period: query.Period{First: time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)}, Limits: query.DefaultLimits()}
	for _, file := range []string{"a[b]*?'.parquet", "{a,b} %20#é.parquet", "\u202e--out.csv"} {
		if r.Format, err = query.FormatOf(file); err != nil {
			t.Fatal(err)
		}
		target := filepath.Join(t.TempDir(), file)
		done, err := query.Export(t.Context(), r, []string{table}, target, filepath.Dir(path))
		if err != nil || done.Rows != 1 || len(names(t, filepath.Dir(target))) != 1 {
			t.Errorf("%q: %+v, %v", file, done, err)
		}
	}
	r.Format = "csv"
	for _, name := range []string{table + "x", "main." + table + `"`, "information_schema.tables", "main.", "", "\x1b[2J", "temp.x"} {
		_, err := query.Export(t.Context(), r, []string{name}, filepath.Join(t.TempDir(), "x.csv"), filepath.Dir(path))
		var refused *query.StatementError
		if !errors.As(err, &refused) || strings.ContainsRune(err.Error(), 0x1b) {
			t.Errorf("%q: %v", name, err)
		}
	}
}

package main

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/xuri/excelize/v2"

	"github.com/flashback-sync/flashback-sync/internal/apisim"
)

// midnight is a bench with rows right before and at the beginning of a UTC day.
func midnight(t *testing.T) *bench {
	b := newBench(t)
	day := time.Date(2026, 3, 18, 0, 0, 0, 0, time.UTC)
	for i, at := range []time.Time{day.Add(-time.Microsecond), day} {
		row := b.sim.NewRow(apisim.Alerts, at, i+1)
		row.ID, row.Message = []string{"before", "=first"}[i], "=1+1\n\"é, x"
		b.sim.AddAlerts(row)
	}
	b.configure("streams:\n  alerts: {start: 2026-03-17}\n")
	b.first("with rows around midnight")
	return b
}

// export exports and returns the line about it, and the file.
func (b *bench) export(name string, args ...string) (line, file string) {
	b.t.Helper()
	file = filepath.Join(b.t.TempDir(), name)
	r := b.must(append([]string{"export", "--out", file}, args...)...)
	return r.stdout, file
}

func TestAnExportIsReadBack(t *testing.T) {
	t.Parallel()
	b := midnight(t)
	ids := strings.Fields(b.must("query", "-f", "csv", "SELECT id FROM alerts WHERE date >= '2026-03-18' ORDER BY id").stdout)[1:]
	for _, table := range []struct{ name, text, at string }{{"main.alerts", "message", "timestamp"}, {"BI.events", "text", "happened_at"}} {
		for ending, read := range map[string]func(*testing.T, string, ...string) [][]string{
			"parquet": byDuckDB("read_parquet"), "csv": byDuckDB("read_csv"), "jsonl": byDuckDB("read_json"), "json": byDuckDB("read_json"),
			"arrow": byArrow, "xlsx": byExcel,
		} {
			line, file := b.export("rows."+ending, "--since", "2026-03-18", table.name)
			rows := read(t, file, "id", table.text, table.at)
			slices.SortFunc(rows, func(a, b []string) int {
				return strings.Compare(strings.TrimPrefix(a[0], "'"), strings.TrimPrefix(b[0], "'"))
			})
			defused := map[string]string{"csv": "'"}[ending]
			for i, row := range rows {
				if len(rows) != len(ids) || strings.TrimPrefix(row[0], "'") != strings.TrimPrefix(ids[i], "'") {
					t.Fatalf("%s of %s: %d rows, row %d is %q; want %d rows, %q", ending, table.name, len(rows), i, row, len(ids), ids[i])
				}
				if row[0] == defused+"=first" && (row[1] != defused+"=1+1\n\"é, x" || !strings.HasPrefix(row[2], "2026-03-18 00:00:00")) {
					t.Errorf("%s of %s: %q", ending, table.name, row)
				}
			}
			if want := fmt.Sprintf("%d rows, ", len(rows)); !strings.HasPrefix(line, want) || !strings.Contains(line, file+"; 2026-03-18 to ") || strings.Count(line, "\n") != 1 {
				t.Errorf("%q, want %s", line, want)
			}
		}
	}
	if len(ids) < 10 || slices.Contains(ids, "before") || !slices.Contains(ids, "'=first") {
		t.Errorf("the day has the rows %v", ids)
	}
}

func byDuckDB(function string) func(*testing.T, string, ...string) [][]string {
	return func(t *testing.T, file string, columns ...string) (all [][]string) {
		t.Helper()
		db, err := sql.Open("duckdb", "")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = db.Close() }()
		rows, err := db.QueryContext(t.Context(), "SELECT "+columns[0]+", "+columns[1]+", CAST(CAST("+columns[2]+" AS TIMESTAMP) AS VARCHAR) FROM "+function+"('"+file+"')")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = rows.Close() }()
		for rows.Next() {
			row := make([]string, 3)
			if err := rows.Scan(&row[0], &row[1], &row[2]); err != nil {
				t.Fatal(err)
			}
			all = append(all, row)
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		return all
	}
}

func byArrow(t *testing.T, file string, columns ...string) (all [][]string) {
	t.Helper()
	in, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = in.Close() }()
	reader, err := ipc.NewFileReader(in)
	if err != nil {
		t.Fatal(err)
	}
	for n := range reader.NumRecords() {
		batch, err := reader.RecordBatchAt(n)
		if err != nil {
			t.Fatal(err)
		}
		for i := range int(batch.NumRows()) {
			row := make([]string, len(columns))
			for c, name := range columns {
				values := batch.Column(batch.Schema().FieldIndices(name)[0])
				row[c] = values.ValueStr(i)
				if times, ok := values.(*array.Timestamp); ok {
					row[c] = time.UnixMicro(int64(times.Value(i))).UTC().Format(time.DateTime)
				}
			}
			all = append(all, row)
		}
	}
	return all
}

func byExcel(t *testing.T, file string, columns ...string) (all [][]string) {
	t.Helper()
	book := openBook(t, file)
	rows, err := book.GetRows(book.GetSheetName(0))
	if err != nil {
		t.Fatal(err)
	}
	for _, found := range rows[1:] {
		row := make([]string, len(columns))
		for c, name := range columns {
			row[c] = found[slices.Index(rows[0], name)]
		}
		all = append(all, row)
	}
	return all
}

func openBook(t *testing.T, file string) *excelize.File {
	t.Helper()
	book, err := excelize.OpenFile(file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = book.Close() })
	return book
}

func TestAWorkbookSaysWhatItIsWorth(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.first("")
	line, file := b.export("two.xlsx", "events_daily", "policies", "calendar", "--since", "2026-03-16")
	book := openBook(t, file)
	if got := book.GetSheetList(); !slices.Equal(got, []string{"events_daily", "policies", "calendar", "Coverage", "Sources"}) {
		t.Error(got)
	}
	if !strings.Contains(line, "2026-03-16 to 2026-03-17: complete, every day of every configured stream") {
		t.Error(line)
	}
	for sheet, want := range map[string]string{
		"events_daily!A2": "2026-03-16", "calendar!A2": "2026-03-16", "Coverage!A1": "stream", "Coverage!A2": "alerts", "Coverage!A4": "violations",
		"Coverage!C2": "2026-03-16", "Coverage!G2": "2026-03-18 (open), ", "Sources!A2": "events_daily", "Sources!B3": "flashback.duckdb", "Sources!C2": "1", "Sources!D2": version,
		"Sources!E2": `FROM bi."events_daily" WHERE "day" >= DATE '2026-03-16' ORDER BY "day"`, "Sources!E3": `FROM bi."policies"`,
	} {
		name, at, _ := strings.Cut(sheet, "!")
		if got, err := book.GetCellValue(name, at); err != nil || got != want && (at != "G2" || !strings.HasPrefix(got, want)) {
			t.Errorf("%s: %q, want %q (%v)", sheet, got, want, err)
		}
	}
	answer := filepath.Join(b.dir, "answer.xlsx")
	b.must("ask", "daily", "--from", "2026-03-16", "--to", "2026-03-17", "--out", answer)
	book = openBook(t, answer)
	rows, err := book.GetRows("Coverage")
	if err != nil || len(rows) != 4 || !slices.Equal(rows[1][2:6], []string{"2026-03-16", "2026-03-17", "2", "0"}) {
		t.Errorf("%v, %v", rows, err)
	}
}

func TestAnswersInEveryFormat(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.first("")
	for _, ending := range []string{"txt", "csv", "json", "jsonl", "parquet", "arrow", "xlsx"} {
		file := filepath.Join(b.dir, "answer."+ending)
		r := b.must("ask", "daily", "--from", "2026-03-16", "--to", "2026-03-17", "--out", file)
		if info, err := os.Stat(file); err != nil || info.Size() < 50 || !strings.Contains(r.stderr, ": complete, ") {
			t.Errorf("%s: %v, %s", ending, err, r.stderr)
		}
	}
}

func TestAnExportSaysWhetherItsPeriodIsComplete(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.first("")
	file := filepath.Join(b.data(), "flashback.duckdb")
	if err := os.Chmod(file, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct{ change, table, want string }{
		{"SELECT 1", "alerts", "2026-03-16 to 2026-03-17: complete, every day of alerts is covered; later days are open\n"},
		{"SELECT 1", "events", "2026-03-16 to 2026-03-17: complete, every day of alerts and violations is covered; later days are open\n"},
		{"SELECT 1", "calendar", "2026-03-16 to 2026-03-17: complete, every day of every configured stream is covered; later days are open\n"},
		{"UPDATE sync_coverage SET to_ts = to_ts - INTERVAL 36 HOUR WHERE stream = 'policy_stats'", "calendar", "2026-03-16 to 2026-03-16: complete, every day of every"},
		{"UPDATE sync_coverage SET from_ts = '2026-03-16 00:00:00.001+00' WHERE stream = 'violations'", "events", ": NOT complete, 1 of "},
		{"SELECT 1", "events", "; the others: 2026-03-16 (partial), 2026-03-18 (open), "},
		{"SELECT 1", "alerts", "2026-03-17: complete, every day of alerts is"},
		{"DELETE FROM sync_queries WHERE stream = 'violations'", "events", "2026-03-17: complete, every day of alerts is"},
		{"SELECT 1", "violations", "whether it is complete is unknown"},
		{"INSERT INTO sync_queries (stream, filter) VALUES ('violations', '{}')", "events", "NOT complete"},
		{"DELETE FROM sync_coverage WHERE stream = 'violations'", "events", "; the others: 2026-03-16 (missing), 2026-03-17 (missing), "},
	} {
		db, err := sql.Open("duckdb", file)
		if err != nil {
			t.Fatal(err)
		}
		_, err = db.ExecContext(t.Context(), step.change)
		if err := errors.Join(err, db.Close()); err != nil {
			t.Fatalf("%s: %v", step.change, err)
		}
		if line, _ := b.export("a.csv", step.table, "--since", "2026-03-16"); !strings.Contains(line, step.want) {
			t.Errorf("%s of %s: %swant %s", step.change, step.table, line, step.want)
		}
	}
}

func TestCSVForExcelBeginsWithAMark(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.first("")
	_, file := b.export("b.csv", "--bom", "--sql", "SELECT 'é' AS \"=head\"")
	if content, err := os.ReadFile(file); err != nil || string(content) != "\ufeff'=head\né\n" {
		t.Errorf("%q, %v", content, err)
	}
	if out := b.must("query", "--bom", "-f", "csv", "SELECT 1 AS n").stdout; out != "\ufeffn\n1\n" {
		t.Errorf("%q", out)
	}
	if r := b.must("export", "policies", "--since", "2026-03-16", "--out", filepath.Join(b.dir, "p.csv")); !strings.Contains(r.stderr, "policies: its rows have no day") {
		t.Error(r.stderr)
	}
}

func TestAWrongExportLeavesTheFileAsItIs(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.first("")
	file := filepath.Join(b.dir, "out.csv")
	if err := os.WriteFile(file, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	for want, args := range map[string]string{
		`no table or view "alrts", did you mean "alerts"?; there are alerts, api_keys,`: "alrts",
		`no table or view "sqlite_master"`:                                              "sqlite_master",
		`no table or view "alerts\"; SELECT 1"`:                                         `alerts";\ SELECT\ 1`,
		`no table or view "../alerts"`:                                                  "../alerts",
		`no table or view "internal.meta"`:                                              "internal.meta",
		"room for one table":                                                            "alerts violations",
		"names of tables and views, or --sql":                                           "alerts --sql SELECT",
		"like 2026-10-01":                                                               "alerts --since yesterday",
		"with --sql":                                                                    "--sql SELECT --since 2026-03-01",
		"late":                                                                          `--sql SELECT\ CASE\ WHEN\ range=190000\ THEN\ error('late')\ END\ FROM\ range(200000)`,
		"query only reads":                                                              `--sql DROP\ TABLE\ alerts`,
		"--bom is for CSV":                                                              "alerts --bom --format jsonl",
		"for people":                                                                    "alerts --format table",
	} {
		words := strings.Split(strings.ReplaceAll(args, `\ `, "\x00"), " ")
		for i := range words {
			words[i] = strings.ReplaceAll(words[i], "\x00", " ")
		}
		b.wants(2, want, append([]string{"export", "--out", file}, words...)...)
	}
	b.wants(2, "--out", "export", "alerts")
	b.wants(2, "two sheets", "export", "alerts", "main.alerts", "--out", filepath.Join(b.dir, "two.xlsx"))
	if content, err := os.ReadFile(file); err != nil || string(content) != "old" {
		t.Errorf("%q, %v", content, err)
	}
	if left, _ := filepath.Glob(filepath.Join(b.dir, "*.tmp-*")); left != nil {
		t.Error(left)
	}
	if _, err := os.Stat(filepath.Join(b.dir, "two.xlsx")); !os.IsNotExist(err) {
		t.Error(err)
	}
}

func TestQueryParameters(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.first("")
	const hostile = `x' OR 1=1; DROP TABLE alerts --`
	if out := b.must("query", "-f", "csv", "--param", "v="+hostile, "--param", "d=2026-03-16", "SELECT $v AS v, count(*) AS n FROM events WHERE user_id = $v AND day >= $d").stdout; out != "v,n\n"+hostile+",0\n" {
		t.Errorf("%q", out)
	}
	if out := b.must("query", "-f", "json", "--param", "n=3", "SELECT count(*) + $n AS n, $n AS t FROM range(2); SELECT range AS r FROM range(9) WHERE range = $n").stdout; out != "[{\"n\":5,\"t\":\"3\"}]\n[{\"r\":3}]\n" {
		t.Errorf("%q", out)
	}
	b.must("query", "--param", "n=x=y", "EXPLAIN SELECT $n")
	b.must("query", "--param", "n=9", "PIVOT (SELECT kind, day FROM events_daily WHERE blocked < $n) ON kind IN ('alert', 'violation') USING count(*) GROUP BY day")
	for want, args := range map[string][]string{
		"has the parameter $n: add --param n=VALUE": {"SELECT 1; SELECT $n"},
		"the SQL has no parameter $m":               {"--param", "m=1", "SELECT 1"},
		"each name once":                            {"--param", "m=1", "--param", "m=2", "SELECT $m"},
		"like name=value":                           {"--param", "m", "SELECT $m"},
		"invalid date":                              {"--param", "d=x", "SELECT 1 FROM events_daily WHERE day = $d"},
	} {
		if r := b.wants(2, want, append([]string{"query"}, args...)...); r.stdout != "" {
			t.Error(r.stdout)
		}
	}
	file := filepath.Join(b.dir, "p.xlsx")
	b.must("query", "--param", "n=3", "--out", file, "SELECT $n AS t")
	if got, err := openBook(t, file).GetCellValue("Sources", "F2"); err != nil || got != "n = 3" {
		t.Errorf("%q, %v", got, err)
	}
}

package main

import (
	"encoding/csv"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flashback-sync/flashback-sync/internal/apisim"
	"github.com/flashback-sync/flashback-sync/internal/demo"
	"github.com/flashback-sync/flashback-sync/internal/exit"
	"github.com/flashback-sync/flashback-sync/load"
)

// synced is a bench with a little data.
func synced(t *testing.T) *bench {
	b := newBench(t)
	row := b.sim.NewRow(apisim.Alerts, noon.Add(-30*60*1e9+123456e3), 1)
	row.ID, row.Message, row.Host, row.UserName = "=1+1", "two\nlines, \"quoted\"", nil, ""
	b.sim.AddAlerts(row)
	b.configure("streams:\n  alerts: {start: 2026-03-17}\n")
	b.first("with a row of odd texts")
	return b
}

const typed = `SELECT id, message, host, user_name, timestamp, true AS yes, -7 AS small, -1.5 AS exact, -0.25::DOUBLE AS float,
	-170141183460469231731687303715884105727::HUGEINT AS huge, [1, 2] AS list, {'a': 'x'} AS struct, sum(-1) OVER () AS total
	FROM alerts WHERE id = '=1+1'`

func TestQueryAsCSV(t *testing.T) {
	t.Parallel()
	b := synced(t)
	rows, err := csv.NewReader(strings.NewReader(b.must("query", "--format", "csv", typed).stdout)).ReadAll()
	if err != nil || len(rows) != 2 {
		t.Fatalf("%v, %v", err, rows)
	}
	got := map[string]string{}
	for i, name := range rows[0] {
		got[name] = rows[1][i]
	}
	for name, want := range map[string]string{
		"id": "'=1+1", "message": "two\nlines, \"quoted\"", "host": "", "user_name": "", "timestamp": "2026-03-18 12:04:56.123456+00", "yes": "true",
		"small": "-7", "exact": "-1.5", "float": "-0.25", "huge": "-170141183460469231731687303715884105727", "list": "[1, 2]", "struct": `{'a': x}`, "total": "-1",
	} {
		if got[name] != want {
			t.Errorf("%s: %q, want %q", name, got[name], want)
		}
	}
}

func TestQueryAsJSON(t *testing.T) {
	t.Parallel()
	b := synced(t)
	decoder := json.NewDecoder(strings.NewReader(b.must("query", "-f", "json", typed).stdout))
	decoder.UseNumber()
	var rows []map[string]any
	if err := decoder.Decode(&rows); err != nil || len(rows) != 1 {
		t.Fatalf("%v, %v", err, rows)
	}
	for name, want := range map[string]any{
		"id": "=1+1", "host": nil, "user_name": "", "timestamp": "2026-03-18 12:04:56.123456+00", "yes": true,
		"small": json.Number("-7"), "exact": json.Number("-1.5"), "float": json.Number("-0.25"),
		"huge": json.Number("-170141183460469231731687303715884105727"), "total": json.Number("-1"),
	} {
		if got, there := rows[0][name]; got != want || !there {
			t.Errorf("%s: %v (%T), want %v", name, got, got, want)
		}
	}
	for query, want := range map[string]string{
		"SELECT 1 AS n WHERE false":         "[]\n",
		"SELECT 'NaN'::DOUBLE AS n":         "[{\"n\":\"nan\"}]\n",
		"SELECT range AS n FROM range(0,2)": "[{\"n\":0},\n{\"n\":1}]\n",
	} {
		if got := b.must("query", "-f", "json", query).stdout; got != want {
			t.Errorf("%s: %q, want %q", query, got, want)
		}
	}
}

func TestQueryAsTable(t *testing.T) {
	t.Parallel()
	b := synced(t)
	out := b.must("query", typed).stdout
	for _, want := range []string{"=1+1", "NULL", "2026-03-18 12:04:56.123456+00", "-1.5", "-7", "yes"} {
		if !strings.Contains(out, want) {
			t.Errorf("the table lacks %q:\n%s", want, out)
		}
	}
	b.wants(2, "syntax", "query", "SELEKT 1")
	b.wants(2, "nowhere", "query", "SELECT * FROM nowhere")
	b.wants(2, "onversion", "query", "SELECT 'x'::INT")
}

// What each statement may do is tested with the package.
func TestAQueryLeavesThePublishedFilesAsTheyAre(t *testing.T) {
	t.Parallel()
	b := synced(t)
	file := filepath.Join(b.data(), "flashback.duckdb")
	if err := os.Chmod(file, 0o440); err != nil {
		t.Fatal(err)
	}
	before := b.contents()
	secret := filepath.Join(b.dir, "secret.csv")
	if err := os.WriteFile(secret, []byte("a,b\n1,top-secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, statement := range []string{
		"COPY (SELECT 'x') TO '" + file + "' (FORMAT csv, USE_TMP_FILE false)",
		"SELECT 1; COPY alerts TO '" + file + "'",
		"ATTACH '" + load.File(b.data()) + "' AS private",
		"SELECT * FROM read_text('" + secret + "')",
		"SELECT * FROM read_text('" + b.config + "')",
		"SELECT * FROM parquet_metadata('" + b.data() + "/lake/alerts/*/*')",
		"SELECT getenv('FLASHBACK_TOKEN')",
	} {
		for _, format := range []string{"table", "csv", "json"} {
			r := b.run("query", "-f", format, statement)
			if r.code != exit.CodeUsage || r.stdout != "" || strings.Contains(r.stderr, "top-secret") {
				t.Errorf("%s: exit %d\n%s%s", statement, r.code, r.stdout, r.stderr)
			}
		}
	}
	if diff := cmp.Diff(before, b.contents()); diff != "" {
		t.Error(diff)
	}
}

func TestAQueryPastALimitSaysWhatToDo(t *testing.T) {
	t.Parallel()
	b := synced(t)
	b.wants(1, "--timeout", "query", "--timeout", "200ms", "SELECT count(*) FROM range(100000) a, range(10000000) b WHERE a.range <> b.range")
	b.wants(1, "--memory-limit", "query", "--memory-limit", "50MB", "SELECT length(string_agg(repeat('x', 1000000), '')) FROM range(1000)")
	b.wants(2, "Unknown TimeZone", "query", "--tz", "Mars", "SELECT 1")
	b.wants(2, "memory_limit", "query", "--memory-limit", "lots", "SELECT 1")
	if out := b.must("query", "--tz", "Europe/Berlin", "-f", "csv", "SELECT timestamp FROM alerts WHERE id = '=1+1'").stdout; out != "timestamp\n2026-03-18 13:04:56.123456+01\n" {
		t.Error(out)
	}
}

func TestErrorsHoldNoCommandForTheTerminal(t *testing.T) {
	t.Parallel()
	b := synced(t)
	r := b.wants(2, `\x1b[2J`, "query", "SELECT error(chr(27) || '[2J')")
	if strings.ContainsRune(r.stderr, 0x1b) {
		t.Errorf("%q", r.stderr)
	}
}

func TestAPathIsNotTakenApart(t *testing.T) {
	t.Parallel()
	b := synced(t)
	dir := filepath.Join(b.dir, "a?access_mode=READ_WRITE")
	if err := os.Rename(b.data(), dir); err != nil {
		t.Fatal(err)
	}
	b.env["FLASHBACK_SYNC_DATA_DIR"] = dir
	if out := b.must("query", "-f", "csv", "SELECT count(*) AS n FROM alerts WHERE id = '=1+1'").stdout; out != "n\n1\n" {
		t.Error(out)
	}
}

func TestAQueryFromAFileIntoAFile(t *testing.T) {
	t.Parallel()
	b := synced(t)
	in, out := filepath.Join(b.dir, "in.sql"), filepath.Join(b.dir, "out.csv")
	if err := os.WriteFile(in, []byte("SELECT id, 1 AS n -- a; comment\nFROM alerts WHERE id = '=1+1';\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if r := b.must("query", "--file", in, "--out", out); r.stdout != "" {
		t.Error(r.stdout)
	}
	if got, err := os.ReadFile(out); err != nil || string(got) != "id,n\n'=1+1,1\n" {
		t.Errorf("%q, %v", got, err)
	}
	b.must("query", "SELECT 1", "-o", filepath.Join(b.dir, "out.parquet"))
	b.wants(2, "names no format", "query", "SELECT 1", "-o", filepath.Join(b.dir, "out"))
	b.wants(2, "is in data_dir", "query", "SELECT 1", "-o", filepath.Join(b.data(), "lake", "out.csv"))
	b.wants(2, "no such file", "query", "--file", filepath.Join(b.dir, "missing.sql"))
	b.wants(2, "--file", "query", "SELECT 1", "--file", in)
	b.wants(2, "--file", "query")
}

func TestAQueryFromStandardInput(t *testing.T) {
	t.Parallel()
	b := synced(t)
	for _, args := range [][]string{{"-"}, {"--file", "-"}} {
		command := exec.Command(os.Args[0], append([]string{"--config", b.config, "query", "-f", "jsonl"}, args...)...)
		command.Env = []string{asProgram + "=1", "TMPDIR=" + t.TempDir()}
		command.Stdin = strings.NewReader("SELECT id FROM alerts WHERE id = '=1+1'; SELECT 2 AS n")
		out, err := command.Output()
		if err != nil || string(out) != "{\"id\":\"=1+1\"}\n{\"n\":2}\n" {
			t.Errorf("%v: %q, %v", args, out, err)
		}
	}
}

func TestTheConfigurationOfTheDemoLeadsToItsData(t *testing.T) {
	b := synced(t)
	t.Chdir(b.dir)
	b.config = filepath.Join(filepath.Base(b.data()), defaultConfig)
	if err := os.WriteFile(b.config, demo.Config(b.url, noon, 90), 0o600); err != nil {
		t.Fatal(err)
	}
	if out := b.must("query", "-f", "csv", "SELECT id FROM alerts WHERE id = '=1+1'").stdout; out != "id\n'=1+1\n" {
		t.Error(out)
	}
}

func TestQueryWarnsOfAForeignLog(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.first("")
	if r := b.must("query", "SELECT 1"); strings.Contains(r.stderr, ".wal") {
		t.Errorf("without a log: %s", r.stderr)
	}
	if err := os.WriteFile(filepath.Join(b.data(), "flashback.duckdb.wal"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if r := b.must("query", "SELECT 1"); !strings.Contains(r.stderr, "flashback.duckdb.wal is there") {
		t.Errorf("with a log: %q", r.stderr)
	}
}

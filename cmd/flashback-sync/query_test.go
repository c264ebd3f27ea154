package main

import (
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/flashback-sync/flashback-sync/internal/apisim"
	"github.com/flashback-sync/flashback-sync/load"
)

// synced is a bench with a little data.
func synced(t *testing.T) *bench {
	b := newBench(t)
	row := b.sim.NewRow(apisim.Alerts, noon.Add(-30*60*1e9+123456e3), 1)
	row.ID, row.Message, row.Host, row.UserName = "=1+1", "two\nlines, \"quoted\"", nil, ""
	b.sim.AddAlerts(row)
	b.configure("streams:\n  alerts: {start: 2026-03-17}\n")
	b.must("sync")
	return b
}

const typed = `SELECT id, message, host, user_name, timestamp, true AS yes, -7 AS small, -1.5 AS exact, -0.25::DOUBLE AS float,
	-170141183460469231731687303715884105727::HUGEINT AS huge, [1, 2] AS list, {'a': 'x'} AS struct, sum(-1) OVER () AS total
	FROM alerts WHERE id = '=1+1'`

func TestQueryAsCSV(t *testing.T) {
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
		"id": "'=1+1", "message": "two\nlines, \"quoted\"", "host": "", "user_name": "", "timestamp": "2026-03-18 12:04:56.123456Z", "yes": "true",
		"small": "-7", "exact": "-1.5", "float": "-0.25", "huge": "-170141183460469231731687303715884105727", "list": "[1,2]", "struct": `{"a":"x"}`, "total": "-1",
	} {
		if got[name] != want {
			t.Errorf("%s: %q, want %q", name, got[name], want)
		}
	}
	for cell, want := range map[string]string{
		"=x": "'=x", "+x": "'+x", "-x": "'-x", "@x": "'@x", "\tx": "'\tx", "\rx": "'\rx", "x=": "x=", "": "",
	} {
		rows, err := csv.NewReader(strings.NewReader(b.must("query", "-f", "csv", "SELECT '"+cell+"' AS \"=head\", 1 AS n").stdout)).ReadAll()
		if err != nil || len(rows) != 2 || rows[0][0] != "'=head" || rows[1][0] != strings.ReplaceAll(want, "\r\n", "\n") {
			t.Errorf("%q: %q (%v), want %q", cell, rows, err, want)
		}
	}
}

func TestQueryAsJSON(t *testing.T) {
	b := synced(t)
	decoder := json.NewDecoder(strings.NewReader(b.must("query", "-f", "json", typed).stdout))
	decoder.UseNumber()
	var rows []map[string]any
	if err := decoder.Decode(&rows); err != nil || len(rows) != 1 {
		t.Fatalf("%v, %v", err, rows)
	}
	for name, want := range map[string]any{
		"id": "=1+1", "host": nil, "user_name": "", "timestamp": "2026-03-18T12:04:56.123456Z", "yes": true,
		"small": json.Number("-7"), "exact": json.Number("-1.5"), "float": json.Number("-0.25"),
		"huge": json.Number("-170141183460469231731687303715884105727"), "total": json.Number("-1"),
	} {
		if got, there := rows[0][name]; got != want || !there {
			t.Errorf("%s: %v (%T), want %v", name, got, got, want)
		}
	}
	for query, want := range map[string]string{
		"SELECT 1 AS n WHERE false":         "[]\n",
		"SELECT 'NaN'::DOUBLE AS n":         "[{\"n\":\"NaN\"}]\n",
		"SELECT range AS n FROM range(0,2)": "[{\"n\":0},\n{\"n\":1}]\n",
	} {
		if got := b.must("query", "-f", "json", query).stdout; got != want {
			t.Errorf("%s: %q, want %q", query, got, want)
		}
	}
}

func TestQueryAsTable(t *testing.T) {
	b := synced(t)
	out := b.must("query", typed).stdout
	for _, want := range []string{"=1+1", "NULL", "2026-03-18 12:04:56.123456Z", "-1.5", "-7", "yes"} {
		if !strings.Contains(out, want) {
			t.Errorf("the table lacks %q:\n%s", want, out)
		}
	}
	b.wants(2, "syntax", "query", "SELEKT 1")
	b.wants(2, "nowhere", "query", "SELECT * FROM nowhere")
	b.wants(2, "onversion", "query", "SELECT 'x'::INT")
}

func TestHostileSQLIsRefused(t *testing.T) {
	b := synced(t)
	secret := filepath.Join(b.dir, "secret.csv")
	if err := os.WriteFile(secret, []byte("a,b\n1,top-secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	target := filepath.Join(b.dir, "stolen")
	before, _ := os.ReadFile(filepath.Join(b.data(), "flashback.duckdb"))
	for _, statement := range []string{
		"COPY alerts TO '" + target + "'",
		"COPY (SELECT 1) TO '" + target + "' (FORMAT parquet)",
		"SELECT 1; COPY alerts TO '" + target + "'",
		"EXPORT DATABASE '" + target + "'",
		"ATTACH '" + target + "'",
		"ATTACH '" + load.File(b.data()) + "' AS private",
		"ATTACH ':memory:' AS m; CREATE TABLE m.x AS SELECT * FROM read_csv('" + secret + "')",
		"INSTALL httpfs",
		"LOAD '" + target + "'",
		"SELECT * FROM read_csv('/etc/passwd')",
		"SELECT * FROM read_text('" + secret + "')",
		"SELECT * FROM read_blob('" + secret + "')",
		"SELECT * FROM '" + secret + "'",
		"SELECT * FROM glob('/etc/*')",
		"SELECT * FROM sniff_csv('" + secret + "')",
		"SELECT * FROM parquet_metadata('" + b.data() + "/lake/alerts/*/*')",
		"SET enable_external_access = true",
		"SET lock_configuration = false",
		"RESET enable_external_access",
		"SET GLOBAL temp_directory = '" + target + "'",
		"PRAGMA enable_profiling = 'json'",
		"SET profiling_output = '" + target + "'",
		"DROP TABLE alerts",
		"DELETE FROM alerts",
		"INSERT INTO alerts (id) VALUES ('x')",
		"UPDATE alerts SET message = ''",
		"CREATE TABLE x (y INT)",
		"COMMENT ON TABLE alerts IS 'x'",
		"CREATE SECRET (TYPE s3, KEY_ID 'x')",
		"SELECT getenv('FLASHBACK_TOKEN')",
	} {
		for _, format := range []string{"table", "csv", "json"} {
			r := b.run("query", "-f", format, statement)
			if r.code != codeUsage || strings.Contains(r.stdout+r.stderr, "top-secret") || strings.Contains(r.stdout, "root:") {
				t.Errorf("%s: exit %d\n%s%s", statement, r.code, r.stdout, r.stderr)
			}
		}
	}
	if _, err := os.Stat(target); !os.IsNotExist(err) {
		t.Error("a file was written")
	}
	if after, _ := os.ReadFile(filepath.Join(b.data(), "flashback.duckdb")); string(after) != string(before) {
		t.Error("the published file was changed")
	}
}

func TestAQueryReadsNoOtherFileWhateverItsName(t *testing.T) {
	b := synced(t)
	dir := filepath.Join(b.dir, "a?access_mode=READ_WRITE")
	if err := os.Rename(b.data(), dir); err != nil {
		t.Fatal(err)
	}
	b.env["FLASHBACK_SYNC_DATA_DIR"] = dir
	if r := b.run("query", "SELECT 1"); r.code == 0 {
		t.Errorf("a path that DuckDB would take apart was opened:\n%s", r.stdout)
	}
}

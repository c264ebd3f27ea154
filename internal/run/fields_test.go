package run_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/flashback-sync/flashback-sync/internal/apisim"
	"github.com/flashback-sync/flashback-sync/load/lake"
)

func TestEveryFieldOfEveryRowEqualsTheSource(t *testing.T) {
	t.Parallel()
	o := small()
	o.Semantics.Digits = apisim.MicrosecondDigits
	w := newWorld(t, o)
	for _, stream := range []apisim.Stream{apisim.Alerts, apisim.Violations} {
		at := noon.Add(-2*day + 123456*time.Microsecond)
		empty, absent, odd := w.sim.NewRow(stream, at, 1), w.sim.NewRow(stream, at, 2), w.sim.NewRow(stream, at.Add(time.Microsecond), 3)
		empty.ConversationID, empty.LLMType, empty.LLMModel, empty.Host, empty.Severity = ptr(""), ptr(""), ptr(""), ptr(""), ptr("")
		empty.UserName, empty.Message, empty.Explanation, empty.Block = "", "", "", ptr(false)
		absent.ConversationID, absent.LLMType, absent.LLMModel, absent.Host, absent.Severity, absent.Block = nil, nil, nil, nil, nil, nil
		odd.Message = "tab\there, \"quotes\", \\, line\nbreak, 日本語, 🦆, ' OR 1=1; --"
		odd.Explanation, odd.UserName = odd.Message, "=HYPERLINK(\"x\")"
		w.sim.Add(stream, empty, absent, odd)
	}
	options := w.options()
	options.Compression = "zstd"
	summary := w.mustSync(options)
	w.equalsTruth()
	for _, name := range []string{alerts, violations} {
		r := summary.Streams[name]
		if rows := int64(w.sim.Len(apisim.Stream(name))); r.Inserted != rows || r.Updated+r.Unchanged+r.Rejected != 0 {
			t.Errorf("%s: %+v, the source has %d rows", name, *r, rows)
		}
		if bound := w.sim.Len(apisim.Stream(name))*105/100/100 + 20; r.Requests > int64(bound) {
			t.Errorf("%s: %d requests, want at most %d", name, r.Requests, bound)
		}
	}
	for _, r := range w.sim.Requests() {
		if len(r.Unknown) > 0 || r.Status != 200 {
			t.Errorf("request %+v", r)
		}
	}
	if got := w.published("SELECT count(*) FROM alerts WHERE epoch_us(timestamp) % 1000 <> 0"); got == "0" {
		t.Error("no row kept its digits below the millisecond")
	}
}

func TestUnknownAndMissingFieldsAreKeptApart(t *testing.T) {
	t.Parallel()
	o := small()
	o.AlertsPerDay, o.ViolationsPerDay = 0, 0
	w := newWorld(t, o)
	at := noon.Add(-time.Hour)
	stamp := at.Format(time.RFC3339)
	w.sim.AddRaw(apisim.Alerts, at, `{"id":"a","timestamp":"`+stamp+`","message":null,"userName":"","future":{"x":[1,2.50,"3"]},"big":12345678901234567890}`)
	w.sim.AddRaw(apisim.Alerts, at.Add(250*time.Millisecond), `{"id":"b","timestamp":"2026-03-18T14:34:56.25+03:00"}`)
	w.mustSync(w.options(alerts))
	want := map[string]fields{
		"a": {"id": "a", "timestamp": unix(at), "user_name": "", "extra": `{"future":{"x":[1,2.50,"3"]},"big":12345678901234567890}`},
		"b": {"id": "b", "timestamp": unix(at.Add(250 * time.Millisecond))},
	}
	w.holds(apisim.Alerts, want)
	if told := strings.Join(w.warnings, "\n"); !strings.Contains(told, "big") || !strings.Contains(told, "future") {
		t.Errorf("the unknown fields were not reported: %q", told)
	}
}

func TestOnlyTheAnalystsTablesArePublished(t *testing.T) {
	t.Parallel()
	w := synced(t, small(), alerts, violations, policyStats)
	got := w.published("SELECT string_agg(schema_name || '.' || table_name, ' ' ORDER BY table_name) FROM duckdb_tables()")
	want := "main.alerts main.events_daily main.names_daily main.policy_stats main.policy_stats_summary main.rejected_records " +
		"main.sync_coverage main.sync_days main.sync_lateness main.sync_privacy main.sync_queries main.sync_runs main.violations"
	if got != want {
		t.Errorf("published tables: %s, want %s", got, want)
	}
	if got := w.published("SELECT count(*) FROM duckdb_schemas() WHERE NOT internal AND schema_name = 'internal'"); got != "0" {
		t.Error("the private schema is published")
	}
	if got := w.published("SELECT count(*) FROM duckdb_columns() WHERE NOT internal AND coalesce(comment, '') = ''"); got != "0" {
		t.Errorf("%s columns have no comment", got)
	}
}

func TestTheManifestDescribesEveryFile(t *testing.T) {
	t.Parallel()
	w := synced(t, small(), alerts, violations, policyStats)
	manifest, err := lake.ReadManifest(filepath.Join(w.dir, "lake"))
	if err != nil {
		t.Fatal(err)
	}
	files := w.files()
	listed := map[string]bool{}
	rows := map[string]int64{}
	for _, f := range manifest.Files {
		listed["lake/"+f.Path] = true
		rows[f.Table] += f.Rows
		if stored := files["lake/"+f.Path]; stored.Hash != f.SHA256 {
			t.Errorf("%s: hash %s, the manifest says %s", f.Path, stored.Hash, f.SHA256)
		}
	}
	for path := range files {
		if strings.HasPrefix(path, "lake/") && path != "lake/README.md" && !strings.HasSuffix(path, lake.ManifestName) && !listed[path] {
			t.Errorf("%s is not in the manifest", path)
		}
	}
	if rows["alerts"] != int64(w.sim.Len(apisim.Alerts)) || rows["violations"] != int64(w.sim.Len(apisim.Violations)) {
		t.Errorf("rows by the manifest: %v", rows)
	}
	if len(manifest.Coverage) < 3 {
		t.Errorf("coverage: %v", manifest.Coverage)
	}
	for path, want := range map[string]os.FileMode{"": 0o750, "flashback.duckdb": 0o440, "lake/manifest.json": 0o640, "state": 0o750, "state/warehouse.duckdb": 0o640} {
		info, err := os.Stat(filepath.Join(w.dir, path))
		if err != nil {
			t.Fatal(err)
		}
		if path != "" && info.Mode().Perm() != want {
			t.Errorf("%s has mode %v, want %v", path, info.Mode().Perm(), want)
		}
	}
}

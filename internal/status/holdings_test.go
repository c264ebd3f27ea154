package status

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/flashback-sync/flashback-sync/checkpoints"
	"github.com/flashback-sync/flashback-sync/load/lake"
	"github.com/flashback-sync/flashback-sync/schema"
)

var noon = time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)

// published makes a data_dir with a few events, in the published file and in a
// lake of the same rows.
func published(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	db, err := sql.Open("duckdb", filepath.Join(dir, "flashback.duckdb"))
	if err != nil {
		t.Fatal(err)
	}
	do := func(format string, arguments ...any) {
		t.Helper()
		if _, err := db.ExecContext(t.Context(), fmt.Sprintf(format, arguments...)); err != nil {
			t.Fatal(err)
		}
	}
	for _, table := range schema.Tables() {
		for _, ddl := range table.DDL() {
			do("%s", ddl)
		}
	}
	const bookkept = `'2026-03-10T00:00:00Z', '2026-03-10T00:00:00Z', 'run'`
	alert := func(id, at, policy, model, user string) {
		do(`INSERT INTO alerts (id, "timestamp", policy_name, llm_model, user_name, _first_synced_at, _last_changed_at, _run_id)
			VALUES ('%s', '%s', %s, %s, '%s', %s)`, id, at, policy, model, user, bookkept)
	}
	violation := func(id, at, severity, block string) {
		do(`INSERT INTO violations (id, "timestamp", policy_name, llm_model, user_name, severity, block, _first_synced_at, _last_changed_at, _run_id)
			VALUES ('%s', '%s', 'No secrets', 'gpt', 'Ada', %s, %s, %s)`, id, at, severity, block, bookkept)
	}
	alert("a1", "2026-03-08T23:59:59.999999Z", "'No secrets'", "'gpt'", "Ada")
	alert("a2", "2026-03-09T00:00:00Z", "NULL", "NULL", "Bob")
	alert("a3", "2025-01-01T00:00:00Z", "'Old'", "'gpt'", "Ada")
	alert("a4", "9999-01-01T00:00:00Z", "'Future'", "'gpt'", "Ada")
	violation("v1", "2026-03-09T10:00:00Z", "'HIGH'", "true")
	violation("v2", "2026-03-09T11:00:00Z", "'LOW'", "false")
	violation("v3", "2026-03-09T12:00:00Z", "NULL", "NULL")
	violation("v4", "2026-03-09T12:00:00Z", "'CRITICAL'", "NULL")
	bucket := func(scope, id, size, at string, in, out int) {
		do(`INSERT INTO policy_stats (scope, scope_id, bucket_size, bucket_start, policy_tokens_in, policy_tokens_out, closed, _last_changed_at, _run_id)
			VALUES ('%s', %s, '%s', '%s', %d, %d, true, '2026-03-10T00:00:00Z', 'run')`, scope, id, size, at, in, out)
	}
	bucket("org", "NULL", "1h", "2026-03-09T01:00:00Z", 10, 1)
	bucket("org", "NULL", "1h", "2026-03-09T02:00:00Z", 20, 2)
	bucket("org", "NULL", "1d", "2026-03-09T00:00:00Z", 40, 4) // the same tokens and more, in another size
	bucket("repo", "'r'", "1h", "2026-03-09T01:00:00Z", 999, 999)
	do(`INSERT INTO rejected_records VALUES ('alerts', 'run', 'no id', '{}', now()), ('alerts', 'run', 'no id', '{"a":1}', now()), ('alerts', 'run', 'no time', '{"id":1}', now())`)
	do(`INSERT INTO sync_lateness VALUES ('run', 'alerts', now(), 3600, 9, 3000), ('run', 'alerts', now(), 7200, 1, 7000)`)
	for _, copied := range []string{"alerts/date=2026-03-09/alerts", "violations/date=2026-03-09/violations", "policy_stats/month=2026-03/policy_stats"} {
		target := filepath.Join(dir, "lake", copied+".parquet")
		if err := os.MkdirAll(filepath.Dir(target), 0o750); err != nil {
			t.Fatal(err)
		}
		do("COPY %s TO '%s' (FORMAT parquet)", filepath.Base(copied), target)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	writeManifest(t, dir)
	return dir
}

func writeManifest(t *testing.T, dir string) {
	t.Helper()
	day := func(n int) time.Time { return time.Date(2026, 3, n, 0, 0, 0, 0, time.UTC) }
	content, err := json.Marshal(lake.Manifest{
		Format: 1, GeneratedAt: noon, Files: []lake.File{{Bytes: 10}, {Bytes: 20}},
		Coverage: []checkpoints.Line{
			{Stream: "alerts", Filter: "{}", Status: "covered", From: day(1), To: day(3)},
			{Stream: "alerts", Filter: "{}", Status: "covered", From: day(4), To: day(10)},
			{Stream: "policy_stats", Filter: `{"scope":"org"}`, Status: "covered", From: day(1), To: day(2)},
			{Stream: "policy_stats", Filter: `{"scope":"org"}`, Status: "covered", From: day(3), To: day(9)},
			{Stream: "policy_stats", Filter: `{"scope":"org"}`, Status: "lost", From: day(1).AddDate(-1, 0, 0), To: day(1)}, // never to be had
			{Stream: "policy_stats", Filter: `{"scope":"org"}`, Status: "lost", From: day(2), To: day(3)},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "lake", lake.ManifestName), content, 0o600); err != nil {
		t.Fatal(err)
	}
}

func readPublished(t *testing.T, change func(*Source)) *Holdings {
	t.Helper()
	from := Source{
		DataDir: published(t), DuckDB: true, At: noon,
		Lookbacks: map[string]time.Duration{"alerts": 48 * time.Hour, "violations": 48 * time.Hour, "policy_stats": 0},
	}
	change(&from)
	h, err := ReadHoldings(t.Context(), from)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestTheLakeAndTheFileTellTheSame(t *testing.T) {
	file := readPublished(t, func(*Source) {})
	fromLake := readPublished(t, func(s *Source) { s.DuckDB = false })
	if file.DuckDBBytes == 0 || fromLake.DuckDBBytes != 0 {
		t.Errorf("the file has %d and %d bytes", file.DuckDBBytes, fromLake.DuckDBBytes)
	}
	file.DuckDBBytes = 0
	for i := range file.Streams { // the lake has none of the program's own tables
		s := &file.Streams[i]
		s.Rejected, s.Reasons, s.Lateness = 0, nil, nil
	}
	if diff := cmp.Diff(file, fromLake); diff != "" {
		t.Errorf("(-file +lake)\n%s", diff)
	}
}

func TestStreamsAreReadAsTheyStand(t *testing.T) {
	h := readPublished(t, func(*Source) {})
	alerts := h.Streams[0]
	if alerts.Name != "alerts" || alerts.Rows != 4 || alerts.Newest.Year() != 9999 || alerts.Rejected != 3 {
		t.Errorf("got %+v", alerts)
	}
	wantDays := []Day{
		{Date: time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC), Rows: 1},
		{Date: time.Date(2026, 3, 8, 0, 0, 0, 0, time.UTC), Rows: 1},
		{Date: time.Date(2026, 3, 9, 0, 0, 0, 0, time.UTC), Rows: 1},
	}
	if diff := cmp.Diff(wantDays, alerts.Days); diff != "" {
		t.Errorf("days (-want +got)\n%s", diff)
	}
	if diff := cmp.Diff([]Ranked{{Name: "no id", Count: 2}, {Name: "no time", Count: 1}}, alerts.Reasons); diff != "" {
		t.Errorf("reasons (-want +got)\n%s", diff)
	}
	l := alerts.Lateness
	if l == nil || l.Rows != 10 || l.Median != time.Hour || l.P99 != 7000*time.Second || l.Max != 7000*time.Second {
		t.Errorf("lateness %+v", l)
	}
	if gaps := alerts.Gaps(); len(gaps) != 1 || gaps[0].From.Day() != 3 {
		t.Errorf("gaps %v", gaps)
	}
	if gaps, lost := h.Streams[2].Gaps(), h.Streams[2].Lost(); len(gaps) != 0 || len(lost) != 1 {
		t.Errorf("what is lost is no gap: %v, %v", gaps, lost)
	}
}

func TestAStreamThatIsNotConfiguredAnyMoreIsRetired(t *testing.T) {
	h := readPublished(t, func(s *Source) { delete(s.Lookbacks, "violations") })
	for _, s := range h.Streams {
		if s.Retired != (s.Name == "violations") {
			t.Errorf("%s: retired is %v", s.Name, s.Retired)
		}
	}
}

func TestTheOverviewCountsEveryEventOnce(t *testing.T) {
	o := readPublished(t, func(s *Source) { s.Names = true }).Overview
	if len(o.Days) != overviewDays || !o.To.Equal(time.Date(2026, 3, 10, 0, 0, 0, 0, time.UTC)) {
		t.Fatalf("%d days to %s", len(o.Days), o.To)
	}
	want := OverviewDay{
		Date: time.Date(2026, 3, 9, 0, 0, 0, 0, time.UTC), Alerts: 1, High: 1, Low: 1, Unrated: 2, Blocked: 1, TokensIn: 40, TokensOut: 4,
	}
	if diff := cmp.Diff(want, o.Days[len(o.Days)-1]); diff != "" {
		t.Errorf("the last day (-want +got)\n%s", diff)
	}
	wantPolicies := []Ranked{{Name: "No secrets", Count: 5, Alerts: 1, Violations: 4, Blocked: 1}, {Count: 1, Alerts: 1}}
	if diff := cmp.Diff(wantPolicies, o.Policies); diff != "" {
		t.Errorf("policies (-want +got)\n%s", diff)
	}
	if diff := cmp.Diff([]Ranked{{Name: "Ada", Count: 5, Alerts: 1, Violations: 4, Blocked: 1}, {Name: "Bob", Count: 1, Alerts: 1}}, o.People); diff != "" {
		t.Errorf("people (-want +got)\n%s", diff)
	}
}

func TestNamesOfPeopleAreReadOnlyIfConfigured(t *testing.T) {
	if o := readPublished(t, func(*Source) {}).Overview; o.People != nil {
		t.Errorf("got %v", o.People)
	}
}

func TestNothingPublishedIsNoTrouble(t *testing.T) {
	_, err := ReadHoldings(context.Background(), Source{DataDir: t.TempDir(), DuckDB: true, At: noon})
	if !errors.Is(err, ErrNothingPublished) {
		t.Errorf("got %v", err)
	}
}

func TestADamagedFileIsAnError(t *testing.T) {
	dir := published(t)
	if err := os.WriteFile(filepath.Join(dir, "flashback.duckdb"), []byte("no database"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadHoldings(context.Background(), Source{DataDir: dir, DuckDB: true, At: noon}); err == nil {
		t.Error("a file that is no database was read")
	}
}

package run_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/flashback-sync/flashback-sync/internal/apisim"
	"github.com/flashback-sync/flashback-sync/internal/audit"
	"github.com/flashback-sync/flashback-sync/internal/privacy"
	"github.com/flashback-sync/flashback-sync/internal/streams"
	"github.com/flashback-sync/flashback-sync/internal/views"
	"github.com/flashback-sync/flashback-sync/load"
	"github.com/flashback-sync/flashback-sync/schema"
	"github.com/flashback-sync/flashback-sync/transform"
)

// policyOf is a preset with some columns treated otherwise.
func policyOf(t testing.TB, preset string, columns map[string]schema.Treatment) *transform.Policy {
	t.Helper()
	all := map[string]schema.Treatment{}
	for _, c := range schema.Treatable() {
		all[c.Path()] = schema.Preset(preset, c.Column)
	}
	for path, with := range columns {
		all[path] = with
	}
	p, err := transform.NewPolicy(all, []byte("a key of the tests, long enough"))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// hashedIDs hides every id that a query or a series has.
var hashedIDs = map[string]schema.Treatment{
	"alerts.policy_id": schema.Hash, "alerts.repo_id": schema.Hash, "alerts.repo_name": schema.Pseudonym, "alerts.id": schema.Hash,
	"violations.policy_id": schema.Hash, "violations.repo_id": schema.Hash, "violations.host": schema.Hash,
	"policy_stats.scope_id": schema.Hash, "policy_stats_summary.scope_id": schema.Hash,
}

// A canary is in every field, in a reject and in an unknown field of the source's rows.
func addCanaries(w *world) {
	at := w.sim.Now().Add(-30 * time.Hour).Truncate(time.Minute)
	ids := `"policyId":"` + w.sim.Organisation().Policies[0].ID + `","repoId":"` + w.sim.Organisation().Repos[0].ID + `",`
	for i, stream := range []apisim.Stream{apisim.Alerts, apisim.Violations} {
		text := map[apisim.Stream]string{apisim.Alerts: "message", apisim.Violations: "explanation"}[stream]
		when := at.Add(time.Duration(i) * time.Minute)
		w.sim.AddRaw(stream, when, `{`+ids+`"id":"c`+string(stream)+`","timestamp":"`+when.UTC().Format(time.RFC3339)+
			`","userId":"u-canary","userName":"Jane Canary","`+text+`":"by Jane Canary","nickname":"Jane Canary"}`)
		later := when.Add(time.Second)
		w.sim.AddRaw(stream, later, `{`+ids+`"id":12,"timestamp":"`+later.UTC().Format(time.RFC3339)+`","userId":"u-canary","userName":"Jane Canary","Jane_Canary":"Jane Canary"}`)
	}
}

// canaryFree searches every file below a folder, and every text in the warehouse and the
// published file.
func (w *world) canaryFree() {
	w.t.Helper()
	err := filepath.WalkDir(w.dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		if lower := strings.ToLower(string(content)); strings.Contains(lower, "canary") || strings.Contains(lower, "jane") {
			w.t.Errorf("%s has the person", path)
		}
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	for _, table := range schema.Tables() {
		if got := w.published("SELECT count(*) FROM " + schema.Ident(table.Name) + " t WHERE contains(lower(t::VARCHAR), 'canary') OR contains(lower(t::VARCHAR), 'jane')"); got != "0" {
			w.t.Errorf("%s rows of %s have the person", got, table.Name)
		}
	}
	for _, warning := range w.warnings {
		if lower := strings.ToLower(warning); strings.Contains(lower, "canary") || strings.Contains(lower, "jane") {
			w.t.Errorf("warned: %s", warning)
		}
	}
}

func TestVerifyMatchesUnderEveryPrivacyPolicy(t *testing.T) {
	t.Parallel()
	for name, policy := range map[string]*transform.Policy{
		"names":  policyOf(t, "names", nil),
		"strict": policyOf(t, "strict", nil),
		"masked": policyOf(t, "none", map[string]schema.Treatment{"alerts.message": schema.Mask, "violations.explanation": schema.Mask, "violations.extra": schema.Mask, "rejected_records.raw": schema.Mask}),
		"hashed": policyOf(t, "strict", hashedIDs),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, small())
			addCanaries(w)
			o := w.options(alerts, violations, policyStats)
			o.Privacy = policy
			o.Stats.Scopes = append(o.Stats.Scopes, streams.Scope{Scope: "repo", Auto: true})
			for i := range o.Lists {
				if name == "hashed" { // the ids of policies are hidden, too
					o.Lists[i].Policies = w.policies()
				}
			}
			for range 2 {
				w.mustSync(o)
			}
			o.Full = true
			report, err := audit.Verify(t.Context(), o, w.client)
			if err != nil || report.Status != audit.Match {
				t.Fatalf("%v: %+v", err, report)
			}
			if name == "strict" || name == "hashed" {
				w.canaryFree()
			}
			if got := w.published("SELECT count(DISTINCT scope_id) > 1 FROM policy_stats WHERE scope = 'repo'"); got != "true" {
				t.Errorf("statistics of repositories: %s", got)
			}
			if got := w.published("SELECT count(*) FROM policy_stats p WHERE scope = 'repo' AND scope_id NOT IN (SELECT repo_id FROM alerts UNION SELECT repo_id FROM violations)"); got != "0" {
				t.Errorf("%s buckets are of unknown repositories", got)
			}
			if got := w.published("SELECT count(*) FROM bi.coverage_daily WHERE status = 'complete' AND stream = 'alerts'"); got == "0" {
				t.Error("no day is complete")
			}
		})
	}
}

// policies are the ids of the simulated policies.
func (w *world) policies() (ids []string) {
	for _, p := range w.sim.Organisation().Policies {
		ids = append(ids, p.ID)
	}
	return ids
}

func TestAnotherPrivacyPolicyIsRefusedUntilItIsApplied(t *testing.T) {
	t.Parallel()
	w := newWorld(t, small())
	addCanaries(w)
	o := w.options(alerts, violations, policyStats)
	o.Stats.Scopes = append(o.Stats.Scopes, streams.Scope{Scope: "repo", Auto: true})
	w.mustSync(o)
	aside := load.File(w.dir) + ".before-20240101T000000.000000000Z"
	if err := os.WriteFile(aside, []byte("Jane Canary"), 0o600); err != nil {
		t.Fatal(err)
	}
	before := w.published("SELECT count(*) FROM bi.events")
	o.Privacy = policyOf(t, "strict", hashedIDs)
	var changed *privacy.Changed
	if _, err := w.sync(t.Context(), o); !errors.As(err, &changed) || !changed.Possible {
		t.Fatalf("got %v", err)
	}
	if _, err := audit.Verify(t.Context(), o, w.client); !errors.As(err, &changed) {
		t.Fatalf("verify: got %v", err)
	}
	if _, err := os.Stat(aside); err != nil {
		t.Error(err)
	}
	o.ApplyPrivacy = true
	summary := w.mustSync(o)
	if r := summary.Streams[alerts]; r.Inserted+r.Updated > 0 {
		t.Errorf("%d rows inserted and %d updated after the policy was applied", r.Inserted, r.Updated)
	}
	w.warnings = nil
	w.canaryFree()
	if after := w.published("SELECT count(*) FROM bi.events"); after != before {
		t.Errorf("%s events, were %s", after, before)
	}
	o.ApplyPrivacy, o.Full = false, true
	report, err := audit.Verify(t.Context(), o, w.client)
	if err != nil || report.Status != audit.Match {
		t.Fatalf("%v: %+v", err, report)
	}
	o.Privacy = nil
	if _, err := w.sync(t.Context(), o); !errors.As(err, &changed) || changed.Possible {
		t.Fatalf("without a policy: got %v", err)
	}
	other, err := transform.NewPolicy(map[string]schema.Treatment{"alerts.user_id": schema.Hash}, []byte("another key of the tests"))
	if err != nil {
		t.Fatal(err)
	}
	o.Privacy = other
	if _, err := w.sync(t.Context(), o); !errors.As(err, &changed) || changed.Possible {
		t.Fatalf("with another key: got %v", err)
	}
}

func TestARebuildKeepsThePrivacyPolicy(t *testing.T) {
	t.Parallel()
	w := newWorld(t, small())
	addCanaries(w)
	o := w.options(alerts, violations, policyStats)
	o.Stats.Scopes = append(o.Stats.Scopes, streams.Scope{Scope: "repo", Auto: true})
	o.NewRunID = func() string { return "another" }
	w.mustSync(o)
	plain := t.TempDir()
	if err := os.CopyFS(filepath.Join(plain, "lake"), os.DirFS(filepath.Join(w.dir, "lake"))); err != nil {
		t.Fatal(err)
	}
	o.Privacy, o.ApplyPrivacy = policyOf(t, "strict", hashedIDs), true
	w.mustSync(o)
	o.ApplyPrivacy = false
	lose := func(names ...string) {
		for _, name := range names {
			if err := os.RemoveAll(filepath.Join(w.dir, name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, lost := range [][]string{{"state"}, {"state", "flashback.duckdb"}, {"state", "lake/manifest.json"}} {
		if len(lost) == 1 && !long() {
			continue
		}
		lose(lost...)
		o.RunID = "rebuild"
		done, err := audit.Rebuild(t.Context(), o, w.client)
		if err != nil || done.Found.Status != audit.Match {
			t.Fatalf("without %v: %v, %+v", lost, err, done.Found)
		}
		w.warnings = nil
		w.canaryFree()
	}
	// The lake of before the policy comes back, and the warehouse is lost.
	lose("state", "lake", "flashback.duckdb")
	if err := os.CopyFS(filepath.Join(w.dir, "lake"), os.DirFS(filepath.Join(plain, "lake"))); err != nil {
		t.Fatal(err)
	}
	var changed *privacy.Changed
	if _, err := audit.Rebuild(t.Context(), o, w.client); !errors.As(err, &changed) || !changed.Possible {
		t.Fatalf("with the former lake: %v", err)
	}
	o.ApplyPrivacy = true
	w.mustSync(o)
	w.warnings = nil
	w.canaryFree()
	o.Full = true
	if report, err := audit.Verify(t.Context(), o, w.client); err != nil || report.Status != audit.Match {
		t.Fatalf("%v: %+v", err, report)
	}
}

func TestAViewIsWithoutTextsAndNames(t *testing.T) {
	t.Parallel()
	w := newWorld(t, small())
	addCanaries(w)
	o := w.options(alerts, violations, policyStats)
	var names []string
	for _, view := range schema.Views() {
		names = append(names, "bi."+view.Name)
	}
	o.Views = []views.View{
		{Name: "team-leads", Tables: names, Policy: policyOf(t, "strict", nil)},
		{Name: "support", Tables: []string{"violations", "names_daily", "rejected_records", "bi.users"}, Policy: policyOf(t, "names", nil)},
	}
	w.mustSync(o)
	leads := filepath.Join(w.dir, "team-leads.duckdb")
	if got := texts(t, leads, "canary"); got != "" {
		t.Errorf("the file of the team leads has the person in %s", got)
	}
	if got := texts(t, filepath.Join(w.dir, "support.duckdb"), "u-canary"); got != "" && got != "violations.explanation" {
		t.Errorf("the file of the support has the person in %s", got)
	}
	db, whole := open(t, leads), open(t, filepath.Join(w.dir, "flashback.duckdb"))
	for _, sql := range []string{
		"SELECT count(*) FROM bi.events", "SELECT sum(events)::BIGINT FROM bi.events_daily", "SELECT count(DISTINCT user_id) FROM bi.events",
		"SELECT count(*) FROM bi.users", "SELECT generation FROM publication",
		"SELECT string_agg(column_name || ' ' || data_type, ', ' ORDER BY column_index) FROM duckdb_columns() WHERE schema_name = 'bi' AND table_name = 'events'",
		"SELECT string_agg(comment, ', ' ORDER BY column_index) FROM duckdb_columns() WHERE schema_name = 'bi' AND table_name = 'users'",
	} {
		var got, want string
		if err := errors.Join(db.QueryRow(sql).Scan(&got), whole.QueryRow(sql).Scan(&want)); err != nil || got != want {
			t.Errorf("%s: %s, want %s, %v", sql, got, want, err)
		}
	}
	if err := errors.Join(db.Close(), whole.Close()); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(leads)
	if err != nil || info.Mode().Perm() != 0o440 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	// It is written again when somebody changed it, and not otherwise.
	w.mustSync(o)
	if now, err := os.Stat(leads); err != nil || !os.SameFile(info, now) {
		t.Errorf("nothing changed, and the file was written: %v", err)
	}
	if err := errors.Join(os.Chmod(leads, 0o600), os.WriteFile(leads, []byte("x"), 0o600)); err != nil {
		t.Fatal(err)
	}
	report, err := audit.Verify(t.Context(), o, w.client)
	if err != nil || report.Status != audit.Differs {
		t.Errorf("a view that was changed: %v, %v", report, err)
	}
	w.mustSync(o)
	if report, err = audit.Verify(t.Context(), o, w.client); err != nil || report.Status != audit.Match {
		t.Errorf("a view that was written again: %v, %v", report.Altered(), err)
	}
	o.Views = o.Views[1:]
	w.mustSync(o)
	if _, err := os.Stat(leads); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a view that is not configured any more: %v", err)
	}
}

// texts are the columns of a DuckDB file, and "bytes" for the file itself, that have a text.
func texts(t *testing.T, path, text string) (found string) {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(strings.ToLower(string(content)), text) {
		found = "bytes "
	}
	db := open(t, path)
	defer func() { _ = db.Close() }()
	rows, err := db.Query("SELECT schema_name || '.' || table_name, column_name FROM duckdb_columns() WHERE NOT internal")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	var columns [][2]string
	for rows.Next() {
		var c [2]string
		if err := rows.Scan(&c[0], &c[1]); err != nil {
			t.Fatal(err)
		}
		columns = append(columns, c)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	for _, c := range columns {
		var n int
		if err := db.QueryRow("SELECT count(*) FROM "+c[0]+" WHERE contains(lower("+schema.Ident(c[1])+"::VARCHAR), ?)", text).Scan(&n); err != nil {
			t.Fatal(err)
		}
		if n > 0 {
			found += c[0] + "." + c[1] + " "
		}
	}
	return found
}

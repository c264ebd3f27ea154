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
	"github.com/flashback-sync/flashback-sync/internal/run"
	"github.com/flashback-sync/flashback-sync/load"
	"github.com/flashback-sync/flashback-sync/schema"
	"github.com/flashback-sync/flashback-sync/transform"
)

// privacy is a preset with some columns treated otherwise.
func privacy(t testing.TB, preset string, columns map[string]schema.Treatment) *transform.Policy {
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

func TestVerifyMatchesUnderEveryPolicy(t *testing.T) {
	t.Parallel()
	for name, policy := range map[string]*transform.Policy{
		"names":  privacy(t, "names", nil),
		"strict": privacy(t, "strict", nil),
		"masked": privacy(t, "none", map[string]schema.Treatment{"alerts.message": schema.Mask, "violations.explanation": schema.Mask, "violations.extra": schema.Mask, "rejected_records.raw": schema.Mask}),
		"hashed": privacy(t, "strict", hashedIDs),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, small())
			addCanaries(w)
			o := w.options(alerts, violations, policyStats)
			o.Privacy = policy
			o.Stats.Scopes = append(o.Stats.Scopes, run.Scope{Scope: "repo", Auto: true})
			for i := range o.Lists {
				o.Lists[i].Policies = w.policies()
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

func TestAnotherPolicyIsRefusedUntilItIsApplied(t *testing.T) {
	t.Parallel()
	w := newWorld(t, small())
	addCanaries(w)
	o := w.options(alerts, violations, policyStats)
	o.Stats.Scopes = append(o.Stats.Scopes, run.Scope{Scope: "repo", Auto: true})
	w.mustSync(o)
	aside := load.File(w.dir) + ".before-20240101T000000.000000000Z"
	if err := os.WriteFile(aside, []byte("Jane Canary"), 0o600); err != nil {
		t.Fatal(err)
	}
	before := w.published("SELECT count(*) FROM bi.events")
	o.Privacy = privacy(t, "strict", hashedIDs)
	var changed *run.PolicyChanged
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

func TestARebuildKeepsThePolicy(t *testing.T) {
	t.Parallel()
	w := newWorld(t, small())
	addCanaries(w)
	o := w.options(alerts, violations, policyStats)
	o.Stats.Scopes = append(o.Stats.Scopes, run.Scope{Scope: "repo", Auto: true})
	o.NewRunID = func() string { return "another" }
	w.mustSync(o)
	plain := t.TempDir()
	if err := os.CopyFS(filepath.Join(plain, "lake"), os.DirFS(filepath.Join(w.dir, "lake"))); err != nil {
		t.Fatal(err)
	}
	o.Privacy, o.ApplyPrivacy = privacy(t, "strict", hashedIDs), true
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
	var changed *run.PolicyChanged
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

package run_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/flashback-sync/flashback-sync/internal/apisim"
	"github.com/flashback-sync/flashback-sync/internal/audit"
	"github.com/flashback-sync/flashback-sync/internal/erasure"
	"github.com/flashback-sync/flashback-sync/internal/forgotten"
	"github.com/flashback-sync/flashback-sync/internal/run"
	"github.com/flashback-sync/flashback-sync/load"
	"github.com/flashback-sync/flashback-sync/schema"
)

const (
	canaryID   = "u-canary"
	canaryName = "Jane Canary"
)

// addMentions adds rows of others that mention the canary, within the lookback.
func addMentions(w *world) {
	at := w.sim.Now().Add(-20 * time.Hour).Truncate(time.Minute)
	for i, stream := range []apisim.Stream{apisim.Alerts, apisim.Violations} {
		text := map[apisim.Stream]string{apisim.Alerts: "message", apisim.Violations: "explanation"}[stream]
		for k, fields := range []string{
			`"userId":"u-canary2","userName":"Bob","` + text + `":"asked by jane.canary for u-canary"`,
			`"userId":"bob","userName":"Bob","repoAiApiKeyId":"k-9","repoAiApiKeyName":"key of Jane Canary","` + text + `":"kept"`,
			`"userId":"bob","userName":"Bob","` + text + `":"kept, of u-canary2","note":{"by":"J\u0061ne Canary"}`,
			`"userName":"Jane Canary","` + text + `":"kept too"`,
		} {
			when := at.Add(time.Duration(10*i+k) * time.Minute)
			w.sim.AddRaw(stream, when, fmt.Sprintf(`{"id":"m%d-%d","timestamp":"%s",%s}`, i, k, when.UTC().Format(time.RFC3339), fields))
		}
		w.sim.AddRaw(stream, at.Add(-time.Minute), fmt.Sprintf(`{"id":%d,"timestamp":"%s","userId":"bob","%s":"Jane Canary"}`, i, at.Add(-time.Minute).UTC().Format(time.RFC3339), text))
	}
}

// gone searches for the canary, but not for u-canary2, which is somebody else.
func (w *world) gone() {
	w.t.Helper()
	proof := w.search()
	if len(proof) > 0 {
		w.t.Errorf("found: %v", proof)
	}
	for _, warning := range w.warnings {
		if lower := strings.ToLower(warning); strings.Contains(lower, "canary") || strings.Contains(lower, "jane") {
			w.t.Errorf("warned: %s", warning)
		}
	}
}

func (w *world) mustMatch(o run.Options) *audit.Report {
	w.t.Helper()
	o.Full = true
	report, err := audit.Verify(w.t.(*testing.T).Context(), o, w.client)
	if err != nil || report.Status != audit.Match {
		for _, s := range report.Streams {
			w.t.Errorf("%s %s: %+v", s.Stream, s.Status, s.Findings)
		}
		w.t.Fatalf("%v: %+v", err, report)
	}
	return report
}

func forgettable() forgotten.Person { return forgotten.Person{Entity: schema.User, ID: canaryID} }

func TestForgetErasesAPersonForGood(t *testing.T) {
	t.Parallel()
	for _, preset := range []string{"none", "names", "strict"} {
		t.Run(preset, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, small())
			addCanaries(w)
			addMentions(w)
			o := w.options(alerts, violations, policyStats)
			o.Privacy = policyOf(t, preset, nil)
			w.mustSync(o)
			w.warnings = nil
			person := forgettable()
			if preset != "none" {
				person.Names = []string{canaryName} // no column has it
			}
			aside := load.File(w.dir) + ".before-20240101T000000.000000000Z"
			if err := os.WriteFile(aside, []byte("Jane Canary"), 0o600); err != nil {
				t.Fatal(err)
			}
			dry := o
			dry.DryRun = true
			before, err := run.Forget(t.Context(), dry, person)
			if err != nil || before.Rows[alerts] != 1 || before.Rows[violations] != 1 || preset == "none" && before.Rejects != 4 {
				t.Fatalf("dry run: %v, %+v", err, before)
			}
			if _, err := os.Stat(aside); err != nil {
				t.Error(err)
			}
			done, err := run.Forget(t.Context(), o, person)
			if err != nil {
				t.Fatal(err)
			}
			if !done.Proof.Clean() {
				t.Errorf("proof: %+v", done.Proof)
			}
			if fmt.Sprint(done.Rows, done.Texts, done.Rejects) != fmt.Sprint(before.Rows, before.Texts, before.Rejects) {
				t.Errorf("erased %+v, announced %+v", done.Forgot, before.Forgot)
			}
			w.gone()
			if got := w.published("SELECT count(*) FROM alerts WHERE id LIKE 'm0-%'"); got != "4" {
				t.Errorf("%s rows of others are left", got)
			}
			if preset == "none" {
				if got := w.published("SELECT string_agg(coalesce(message, '-') || coalesce(extra::VARCHAR, '-') || coalesce(user_name, '-'), ',' ORDER BY id) FROM alerts WHERE id LIKE 'm0-%'"); got != "--Bob,kept-Bob,kept, of u-canary2-Bob,kept too--" {
					t.Errorf("texts of others: %s", got)
				}
			}
			summary := w.mustSync(o) // the lookback reads them again
			if s := summary.Streams[alerts]; s.Withheld == 0 || s.Updated+s.Inserted > 0 {
				t.Errorf("withheld %d, inserted %d, updated %d", s.Withheld, s.Inserted, s.Updated)
			}
			w.gone()
			report := w.mustMatch(o)
			if report.Streams[0].Withheld == 0 {
				t.Error("the verification read no row that is withheld")
			}
		})
	}
}

// search lists the files and tables that have the canary.
func (w *world) search() (found []string) {
	w.t.Helper()
	proof, err := erasure.Search(context.Background(), w.dir, []erasure.Needle{{Label: "id", Text: canaryID}, {Label: "name", Text: canaryName}})
	if err != nil {
		w.t.Fatal(err)
	}
	for _, place := range proof.Found {
		found = append(found, fmt.Sprint(place))
	}
	return found
}

// copied is a copy of parts of data_dir.
func (w *world) copied(names ...string) string {
	w.t.Helper()
	dir := w.t.(*testing.T).TempDir()
	w.place(w.dir, dir, names...)
	return dir
}

// place puts files and folders of one folder in the place of those of another one.
func (w *world) place(from, to string, names ...string) {
	w.t.Helper()
	for _, name := range names {
		source, target := filepath.Join(from, name), filepath.Join(to, name)
		info, err := os.Stat(source)
		if err == nil {
			err = os.RemoveAll(target)
		}
		if err == nil && info.IsDir() {
			err = os.CopyFS(target, os.DirFS(source))
		} else if err == nil {
			var content []byte
			if content, err = os.ReadFile(source); err == nil {
				err = errors.Join(os.MkdirAll(filepath.Dir(target), 0o750), os.WriteFile(target, content, 0o600))
			}
		}
		if err != nil {
			w.t.Fatal(err)
		}
	}
}

func (w *world) lose(names ...string) {
	w.t.Helper()
	for _, name := range names {
		if err := os.RemoveAll(filepath.Join(w.dir, name)); err != nil {
			w.t.Fatal(err)
		}
	}
}

// addOldDay adds a day that has only rows of the canary, before the lookback.
func addOldDay(w *world) {
	at := w.start.Add(2 * time.Hour)
	for i := range 3 {
		when := at.Add(time.Duration(i) * time.Hour)
		w.sim.AddRaw(apisim.Alerts, when, fmt.Sprintf(`{"id":"old%d","timestamp":"%s","userId":"u-canary","userName":"Jane Canary","message":"x"}`, i, when.UTC().Format(time.RFC3339)))
	}
}

// long reports whether every case is tried, as 'make torture' does: each takes several runs
// of DuckDB.
func long() bool { return os.Getenv("LONG_TESTS") != "" }

func TestWhatWasForgottenDoesNotComeBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t, small())
	addCanaries(w)
	addMentions(w)
	addOldDay(w)
	o := w.options(alerts, violations, policyStats)
	o.Privacy = policyOf(t, "none", nil)
	o.NewRunID = func() string { return "another" }
	w.mustSync(o)
	week := w.copied("lake", "flashback.duckdb", "state")
	if _, err := run.Forget(t.Context(), o, forgettable()); err != nil {
		t.Fatal(err)
	}
	w.mustSync(o)
	after := w.copied("lake", "flashback.duckdb", "state")
	w.warnings = nil
	oldDay := "lake/alerts/date=" + w.start.Format(time.DateOnly)
	rebuild := func(o run.Options) error {
		o.RunID = "rebuild"
		_, err := audit.Rebuild(t.Context(), o, w.client)
		return err
	}
	sync := func(o run.Options) error { w.mustSync(o); return nil }
	repair := func(o run.Options) error { _, err := audit.Repair(t.Context(), o, w.client); return err }
	for name, c := range map[string]struct {
		restored []string // of before
		lost     []string
		then     func(run.Options) error
	}{
		"the lake":                {[]string{"lake"}, nil, sync},
		"the lake, then a repair": {[]string{"lake"}, nil, repair},
		"one file that the manifest does not name":   {[]string{oldDay}, nil, sync},
		"the published file":                         {[]string{"flashback.duckdb"}, nil, sync},
		"the lake, the warehouse is lost":            {[]string{"lake"}, []string{"state/warehouse.duckdb"}, rebuild},
		"the lake and the published file, both lost": {[]string{"lake", "flashback.duckdb"}, []string{"state/warehouse.duckdb"}, rebuild},
		"nothing, all of state is lost":              {nil, []string{"state"}, rebuild},
		"nothing, the list is lost":                  {nil, []string{"state/forgotten.json"}, sync},
		"everything but the list":                    {[]string{"lake", "flashback.duckdb", "state/warehouse.duckdb"}, nil, sync},
		"everything but the list, then a repair":     {[]string{"lake", "flashback.duckdb", "state/warehouse.duckdb"}, nil, repair},
		"everything but the list, then a rebuild":    {[]string{"lake", "flashback.duckdb", "state/warehouse.duckdb"}, nil, rebuild},
	} {
		if often := []string{"the lake", "nothing, all of state is lost", "everything but the list, then a rebuild"}; !long() && !slices.Contains(often, name) {
			continue
		}
		w.place(after, w.dir, "lake", "flashback.duckdb", "state")
		w.place(week, w.dir, c.restored...)
		w.lose(c.lost...)
		if err := c.then(o); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if found := w.search(); len(found) > 0 {
			t.Errorf("%s: %v", name, found)
		}
		w.mustMatch(o)
		if files, _ := filepath.Glob(filepath.Join(w.dir, "state", "*.before-*")); len(files) > 0 {
			t.Errorf("%s: %v are there", name, files)
		}
	}
	w.gone()
}

// Ids and names come from strangers, and are parts of others.
func TestForgetTakesHostileIDsAsTheyAre(t *testing.T) {
	t.Parallel()
	ids := []string{"u1", "u10", "7", `o'hara"; DROP TABLE alerts; --`, "100%_", "<b>x</b>", "line\nbreak", "ü-Ünïcode", `back\slash`, "-- -"}
	if !long() {
		ids = ids[:4]
	}
	w := newWorld(t, small())
	at := w.sim.Now().Add(-20 * time.Hour).Truncate(time.Minute)
	for i, id := range ids {
		quoted, _ := json.Marshal(id)
		about, _ := json.Marshal("about " + id + ", 7 times")
		when := at.Add(time.Duration(i) * time.Minute)
		w.sim.AddRaw(apisim.Alerts, when, fmt.Sprintf(`{"id":"own%d","timestamp":"%s","userId":%s,"userName":"Al","message":"x"}`, i, when.UTC().Format(time.RFC3339), quoted))
		w.sim.AddRaw(apisim.Alerts, when, fmt.Sprintf(`{"id":"about%d","timestamp":"%s","userId":"somebody","conversationId":%s,"message":%s}`, i, when.UTC().Format(time.RFC3339), quoted, about))
	}
	o := w.options(alerts)
	o.Privacy = policyOf(t, "none", nil)
	w.mustSync(o)
	for i, id := range ids {
		done, err := run.Forget(t.Context(), o, forgotten.Person{Entity: schema.User, ID: id})
		if err != nil || done.Rows[alerts] != 1 {
			t.Fatalf("%q: %v, %+v", id, err, done)
		}
		if got := w.private("SELECT count(*) FROM alerts WHERE id = ?", fmt.Sprintf("own%d", i)); got != "0" {
			t.Errorf("%q is stored", id)
		}
		want := map[string]string{"7": "1", "-- -": "1"}[id] // is not looked for in texts
		if want == "" {
			want = "0"
		}
		if got := w.private("SELECT count(message) FROM alerts WHERE id = ?", fmt.Sprintf("about%d", i)); got != want {
			t.Errorf("%q: %s texts about it, want %s", id, got, want)
		}
		if id == "u1" && w.private("SELECT count(message) FROM alerts WHERE id = 'about1'") != "1" {
			t.Error("a text about u10 was taken for one about u1")
		}
	}
	if got := w.private("SELECT count(*) FROM alerts WHERE id LIKE 'about%'"); got != fmt.Sprint(len(ids)) {
		t.Errorf("%s rows of others are left", got)
	}
	w.mustMatch(o)
	if done, err := run.Forget(t.Context(), o, forgotten.Person{Entity: schema.Conversation, ID: "u10", KeepMentions: true}); err != nil || done.Rows[alerts] != 1 {
		t.Errorf("conversation: %v, %+v", err, done)
	}
	for _, id := range []string{"", " \t", "\xff"} {
		if _, err := run.Forget(t.Context(), o, forgotten.Person{Entity: schema.User, ID: id}); err == nil {
			t.Errorf("%q was forgotten", id)
		}
	}
	w.mustSync(o)
	w.mustMatch(o)
}

func TestForgetSparesNamesakesAndWhatItIsToKeep(t *testing.T) {
	t.Parallel()
	w := newWorld(t, small())
	at := w.sim.Now().Add(-20 * time.Hour).Truncate(time.Minute)
	for i, fields := range []string{
		`"userId":"u-smith-1","userName":"John Smith","message":"x"`,
		`"userId":"u-smith-2","userName":"john smith","message":"x"`,
		`"userId":"u-3","userName":"Al","message":"about John Smith"`,
		`"userId":"u-3","userName":"Al","message":"about u-smith-2"`,
	} {
		when := at.Add(time.Duration(i) * time.Minute)
		w.sim.AddRaw(apisim.Alerts, when, fmt.Sprintf(`{"id":"n%d","timestamp":"%s",%s}`, i, when.UTC().Format(time.RFC3339), fields))
	}
	o := w.options(alerts)
	o.Privacy = policyOf(t, "none", nil)
	w.mustSync(o)
	done, err := run.Forget(t.Context(), o, forgotten.Person{Entity: schema.User, ID: "u-smith-1"})
	if err != nil || !done.Proof.Clean() || len(done.Unsearch) != 1 || done.Texts[alerts] != 0 {
		t.Fatalf("%v, %+v, %+v", err, done, done.Proof)
	}
	done, err = run.Forget(t.Context(), o, forgotten.Person{Entity: schema.User, ID: "u-smith-2", KeepMentions: true})
	if err != nil || !done.Proof.Clean() || done.Texts[alerts] != 0 {
		t.Fatalf("%v, %+v", err, done)
	}
	if got := w.published("SELECT count(message) FROM alerts WHERE id IN ('n2', 'n3')"); got != "2" {
		t.Errorf("%s texts of others are left", got)
	}
	w.mustMatch(o)
}

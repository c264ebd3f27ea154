package run_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/flashback-sync/flashback-sync/internal/apisim"
	"github.com/flashback-sync/flashback-sync/internal/audit"
	"github.com/flashback-sync/flashback-sync/internal/erasure"
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

func forgettable() run.Person { return run.Person{Entity: schema.User, ID: canaryID} }

func TestForgetErasesAPersonForGood(t *testing.T) {
	t.Parallel()
	for _, preset := range []string{"none", "names", "strict"} {
		t.Run(preset, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, small())
			addCanaries(w)
			addMentions(w)
			o := w.options(alerts, violations, policyStats)
			o.Privacy = privacy(t, preset, nil)
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

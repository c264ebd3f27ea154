package main

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/flashback-sync/flashback-sync/internal/demo"
)

// The demo ends on a Monday night: the last week is the one that is not complete.
func TestTheDemoHasWhatRealOrganisationsHave(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 16, 23, 50, 0, 0, time.UTC)
	var stdout, stderr bytes.Buffer
	a := &app{stdout: &stdout, stderr: &stderr}
	o := demo.Options{Dir: filepath.Join(t.TempDir(), "demo"), Seed: 7, Program: "flashback-sync", Out: &stdout, Now: now, Days: 22, Command: a.inDemo}
	if err := demo.Run(t.Context(), o); err != nil {
		t.Fatalf("%v\n%s%s", err, stdout.String(), stderr.String())
	}
	for _, want := range []string{
		"Differs: ", "Verified again:", " incomplete ", "NOT complete", "2026-03-02 to 2026-03-08: complete", "Modell-Freigabeliste", "Contract Terms Guardrail",
		"Jailbreak Detection", "Priya Iyer", "policyId is a number, not a string", `{"riskScore":0.`, "report.html written",
	} {
		if !strings.Contains(stdout.String(), want) {
			t.Errorf("the demo does not print %q", want)
		}
	}
	b := &bench{t: t, config: filepath.Join(o.Dir, "flashback-sync.yaml"), env: map[string]string{demo.TokenKey: demo.Token}}
	var columns []string
	for what, sql := range map[string]string{
		"no row in the future":     "SELECT max(happened_at) <= '2026-03-16 23:00:00' FROM bi.events",
		"a renamed policy":         "SELECT count(*) = 1 FROM bi.policies WHERE earlier_names IS NOT NULL",
		"a renamed user":           "SELECT count(*) = 1 FROM bi.users WHERE earlier_names IS NOT NULL",
		"late rows":                "SELECT count(*) = 5 FROM bi.events WHERE late AND kind = 'alert'",
		"a rejected record":        "SELECT count(*) = 1 FROM rejected_records WHERE stream = 'violations'",
		"an unknown field":         "SELECT count(*) > 10 FROM violations WHERE extra->>'riskScore' IS NOT NULL",
		"a gap":                    "SELECT count(*) = 1 FROM bi.coverage_daily WHERE stream = 'alerts' AND day = '2026-03-15' AND status = 'partial'",
		"alerts before violations": "SELECT count(*) > 100 FROM bi.conversations WHERE seconds_between BETWEEN 1 AND 120",
		"a policy gone silent":     "SELECT count(*) = 1 FROM bi.policies WHERE last_seen < '2026-03-02' AND last_seen > '2026-02-20'",
		"a new policy":             "SELECT count(*) = 1 FROM bi.policies WHERE CAST(first_seen AS DATE) BETWEEN '2026-03-02' AND '2026-03-08'",
	} {
		columns = append(columns, fmt.Sprintf("(%s) AS %q", sql, what))
	}
	rows, err := csv.NewReader(strings.NewReader(b.must("query", "--format", "csv", "SELECT "+strings.Join(columns, ", ")).stdout)).ReadAll()
	if err != nil || len(rows) != 2 {
		t.Fatalf("%v: %v", err, rows)
	}
	for i, what := range rows[0] {
		if rows[1][i] != "true" {
			t.Errorf("there is not %s", what)
		}
	}
	w := reportedWeek(b)
	if w.First.Format(time.DateOnly) != "2026-03-02" || !w.This.Complete() || w.New.Policies.Total != 1 || w.New.Hosts.Total != 1 || w.New.Users.Total == 0 || w.Silent.Total != 2 {
		t.Errorf("the week from %s has the new %+v and the silent %+v", w.First, w.New, w.Silent)
	}
}

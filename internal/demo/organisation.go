package demo

import (
	"fmt"
	"time"

	"github.com/flashback-sync/flashback-sync/internal/apisim"
)

// What happens to the organisation besides its alerts and violations.
const (
	renamedPolicy, policyBefore = "Prompt Injection Shield", "Jailbreak Detection"
	renamedUser, userBefore     = "Priya Raman", "Priya Iyer"
	silentPolicy                = "Contract Terms Guardrail"
	silentRepo                  = "Sandbox"
	newPolicy                   = "Modell-Freigabeliste"
	newHost                     = "llm.internal.example"
	newUser                     = "service-account ci"
)

// organisation is the simulated one, and when things happen to it. All is in the past.
type organisation struct {
	sim     *apisim.Sim
	now     time.Time // of its first sync
	renamed time.Time
	// week is the Monday of the last week that will be complete at the end: rows of the day
	// of its first sync will be withheld.
	week time.Time
}

// newOrganisation makes one with a history up to a time.
func newOrganisation(seed uint64, days int, now time.Time) *organisation {
	options := apisim.DemoOptions(seed, now)
	options.Token, options.Days = Token, days
	o := &organisation{sim: apisim.New(options), now: now, renamed: now.AddDate(0, 0, -days/2), week: monday(now).AddDate(0, 0, -7)}
	o.live(time.Time{})
	return o
}

// monday begins the UTC week of a time.
func monday(t time.Time) time.Time {
	day := t.UTC().Truncate(24 * time.Hour)
	return day.AddDate(0, 0, -(int(day.Weekday())+6)%7)
}

// live changes the rows after a time: names, what is new and what falls silent, and alerts
// that lead to violations.
func (o *organisation) live(after time.Time) {
	o.sim.Edit(apisim.Alerts, o.happens)
	o.sim.Edit(apisim.Violations, o.happens)
	var alerts []apisim.Row
	for i, v := range o.sim.Rows(apisim.Violations) {
		if i%8 == 0 && v.ConversationID != nil && v.Timestamp.After(after) {
			alerts = append(alerts, warning(v, time.Duration(5+i*37%110)*time.Second))
		}
	}
	o.sim.AddAlerts(alerts...)
}

// happens changes a row, and says whether it exists at all.
func (o *organisation) happens(row *apisim.Row) bool {
	if row.Timestamp.Before(o.renamed) {
		if row.PolicyName == renamedPolicy {
			row.PolicyName = policyBefore
		}
		if row.UserName == renamedUser {
			row.UserName = userBefore
		}
	}
	if row.Timestamp.Before(o.week) {
		return row.PolicyName != newPolicy && row.UserName != newUser && (row.Host == nil || *row.Host != newHost)
	}
	return row.PolicyName != silentPolicy && row.RepoName != silentRepo
}

// warning is an alert that came before a violation, in its conversation.
func warning(violation apisim.Row, before time.Duration) apisim.Row {
	alert := violation
	alert.ID, alert.Explanation, alert.Severity, alert.Block = "", "", nil, nil
	alert.Message = "Repeated attempts within ten minutes, which the policy does not allow"
	alert.Timestamp = violation.Timestamp.Add(-before)
	return alert
}

// nextDay lets a day pass: the API gets a new field, sends a record that is not valid,
// gives some rows of yesterday late, and withholds some of its own.
func (o *organisation) nextDay() {
	o.sim.Advance(24 * time.Hour)
	o.live(o.now)
	o.sim.Edit(apisim.Violations, func(row *apisim.Row) bool {
		if row.Timestamp.After(o.now) {
			row.Extra = fmt.Sprintf(`"riskScore":0.%02d`, 40+row.Timestamp.Second())
		}
		return true
	})
	midnight := o.now.Truncate(24 * time.Hour)
	for i := range 5 {
		o.sim.AddAlerts(o.sim.NewRow(apisim.Alerts, midnight.Add(-time.Duration(i+1)*7*time.Minute), i))
	}
	o.sim.AddRaw(apisim.Violations, o.now.Add(3*time.Hour), fmt.Sprintf(`{"id":"not-valid","policyId":7,"timestamp":%q,"severity":["HIGH"]}`, o.now.Add(3*time.Hour).Format(time.RFC3339)))
	for i := range 3 {
		row := o.sim.NewRow(apisim.Alerts, o.now.Add(time.Duration(i+1)*time.Minute), 10+i)
		row.Withheld = true
		o.sim.AddAlerts(row)
	}
}

// shown is what the demo asks of the data: a question of the cookbook, or SQL.
type shown struct {
	title string
	args  []string
}

// questions are about the week, and what happened around it.
func (o *organisation) questions() []shown {
	day := func(t time.Time) string { return t.Format(time.DateOnly) }
	today := day(o.now.AddDate(0, 0, 1))
	week := []string{"--from", day(o.week), "--to", day(o.week.AddDate(0, 0, 6))}
	ask := func(question string, period ...string) []string { return append([]string{"ask", question}, period...) }
	return []shown{
		{"How did the last weeks go?", ask("weekly", "--from", day(o.week.AddDate(0, 0, -21)), "--to", today)},
		{"What is not complete?", ask("incomplete", "--from", day(o.week), "--to", today)},
		{"How often did a violation follow an alert in the same conversation?", ask("alert-to-violation", week...)},
		{"Which policy is new in the last complete week?", ask("new-policies", week...)},
		{"Which fell silent?", ask("silent-policies", week...)},
		{"What was renamed?", ask("renamed", week...)},
		{"What came late?", ask("late", "--from", day(o.now.AddDate(0, 0, -7)), "--to", today)},
		{"What did the API send that nobody expected?", []string{"query", `
			SELECT 'rejected record' AS what, reason AS example, count(*) AS records FROM rejected_records GROUP BY ALL
			UNION ALL SELECT 'unknown field, in extra', any_value(extra::VARCHAR), count(*) FROM violations WHERE extra IS NOT NULL`}},
	}
}

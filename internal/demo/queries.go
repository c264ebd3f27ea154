package demo

import "time"

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

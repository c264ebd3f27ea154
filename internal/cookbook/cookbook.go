// Package cookbook has questions about the published data, with the SQL that answers them.
package cookbook

import (
	_ "embed"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/flashback-sync/flashback-sync/schema"
)

// Question is one question. Its SQL reads the views of schema bi; first_day and last_day
// in it are the days of the period, both inclusive.
type Question struct{ Name, Text, For, SQL string }

//go:embed cookbook.sql
var source string

var (
	entry  = regexp.MustCompile(`(?s)-- ([a-z-]+): ([^\n]+) \((\w+)\)\n(.*?);\n`)
	period = regexp.MustCompile(`\b(first_day|last_day)\b`)
)

// Questions lists all questions.
func Questions() []Question {
	var all []Question
	for _, m := range entry.FindAllStringSubmatch(source, -1) {
		all = append(all, Question{m[1], m[2], m[3], m[4]})
	}
	return all
}

// Named is the question of a name.
func Named(name string) (Question, error) {
	all := Questions()
	if i := slices.IndexFunc(all, func(q Question) bool { return q.Name == name }); i >= 0 {
		return all[i], nil
	}
	return Question{}, fmt.Errorf("there is no question %q: 'flashback-sync ask' lists them", name)
}

// In is the SQL for the days of a period.
func (q Question) In(p Period) string {
	return period.ReplaceAllStringFunc(q.SQL, func(name string) string {
		day := p.First
		if name == "last_day" {
			day = p.Last
		}
		return "DATE " + schema.Literal(day.Format(time.DateOnly))
	})
}

// Markdown is the cookbook as a document.
func Markdown() string {
	var b strings.Builder
	b.WriteString(`# Cookbook

Questions about the published data, and the SQL that answers them. Run one by its name:

    flashback-sync ask                                        # lists them
    flashback-sync ask repeat-offenders --month 2026-10
    flashback-sync ask weekly --from 2026-08-01 --to 2026-10-31 --out weekly.xlsx

Without a period it is the last 30 complete days. Every answer says whether its period is complete. To use the SQL elsewhere, replace ` + "`first_day` and `last_day`" + ` by
` + "`DATE '2026-10-01'`" + ` and so on. The views are explained in [analysts.md](analysts.md). This file is written by ` + "`flashback-sync ask --markdown`" + `.
`)
	for _, q := range Questions() {
		fmt.Fprintf(&b, "\n## %s\n\n%s For: %s.\n\n```sql\n%s;\n```\n", q.Name, q.Text, q.For, q.SQL)
	}
	return b.String()
}

// Package cookbook has questions about the published data, with the SQL that answers them.
package cookbook

import (
	_ "embed"
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/flashback-sync/flashback-sync/internal/query"
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
func (q Question) In(p query.Period) string {
	return period.ReplaceAllStringFunc(q.SQL, func(name string) string {
		day := p.First
		if name == "last_day" {
			day = p.Last
		}
		return "DATE " + schema.Literal(day.Format(time.DateOnly))
	})
}

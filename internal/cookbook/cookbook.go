// Package cookbook has questions about the published data, with the SQL that answers them.
package cookbook

import (
	_ "embed"
	"errors"
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

// defaultDays is how long the period is if none is given.
const defaultDays = 30

// ParsePeriod reads a month, or the first and last day; what is "" follows from the
// newest complete day.
func ParsePeriod(month, from, to string, newest time.Time) (p query.Period, err error) {
	p.Last = newest
	if month != "" {
		if from+to != "" {
			return p, errors.New("give --month, or --from and --to")
		}
		if p.First, err = time.Parse("2006-01", month); err != nil {
			return p, errors.New("--month is to be like 2026-10")
		}
		p.Last = p.First.AddDate(0, 1, -1)
		return p, nil
	}
	if err := parseDay("--to", to, &p.Last); err != nil {
		return p, err
	}
	p.First = p.Last.AddDate(0, 0, 1-defaultDays)
	if err := parseDay("--from", from, &p.First); err != nil {
		return p, err
	}
	if p.Last.Before(p.First) {
		return p, errors.New("--from must not be after --to")
	}
	return p, nil
}

// parseDay leaves the day as it is if there is no text.
func parseDay(flag, text string, day *time.Time) error {
	if text == "" {
		return nil
	}
	at, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return fmt.Errorf("%s is to be a day, like 2026-10-01", flag)
	}
	*day = at
	return nil
}

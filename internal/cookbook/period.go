package cookbook

import (
	"errors"
	"fmt"
	"time"

	"github.com/flashback-sync/flashback-sync/internal/query"
)

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

package schedule

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
)

// Plan is when a job is to run. Its slots are whole seconds.
//
// What a change of the clock does to them depends on the expression:
//
//   - "@every 5m" goes by elapsed time.
//   - An expression with * for the hour, "@hourly" too, goes by elapsed time as
//     well: a slot is every instant at which the clock shows a minute of the
//     expression, so that an hour that comes twice has its slots twice and an
//     hour that is skipped has none.
//   - Any other names times of the day, and each of them has one slot: the first
//     instant at which the clock shows that time or a later one. So a time that
//     comes twice runs the first time, and one that is skipped runs at the end
//     of the gap, together with all others that are.
type Plan struct {
	text     string
	location *time.Location
	every    cron.ConstantDelaySchedule // if spec is nil
	spec     *cron.SpecSchedule         // in UTC: it is asked about what the clock shows
}

// everyHour is the bit by which the parser marks a field that is a *.
const everyHour = 1 << 63

// Parse reads five cron fields, or a descriptor such as "@every 5m" or "@daily".
func Parse(text string, location *time.Location) (Plan, error) {
	plan := Plan{text: text, location: location}
	if err := plan.parse(); err != nil {
		return Plan{}, fmt.Errorf("read the schedule %q: %w", text, err)
	}
	return plan, nil
}

func (p *Plan) parse() (err error) {
	defer func() {
		if problem := recover(); problem != nil { // the parser does on some texts
			err = fmt.Errorf("not a cron expression: %v", problem)
		}
	}()
	if strings.HasPrefix(p.text, "TZ=") || strings.HasPrefix(p.text, "CRON_TZ=") {
		return errors.New("the time zone has a place of its own")
	}
	parsed, err := cron.ParseStandard(p.text)
	if err != nil {
		return err
	}
	switch schedule := parsed.(type) {
	case cron.ConstantDelaySchedule:
		pause, err := time.ParseDuration(strings.TrimPrefix(p.text, "@every "))
		if err != nil || pause < time.Second { // the parser would make it one second
			return errors.New("a pause must be a second or more")
		}
		p.every = schedule
		return nil
	case *cron.SpecSchedule:
		schedule.Location = time.UTC
		if schedule.Next(time.Unix(0, 0).UTC()).IsZero() {
			return errors.New("a date that never comes")
		}
		p.spec = schedule
		return nil
	}
	return errors.New("not a cron expression")
}

// String is the expression as it was written.
func (p Plan) String() string { return p.text }

// Timezone is the name of the zone that the expression is read in.
func (p Plan) Timezone() string { return p.location.String() }

// same reports whether both have the same slots.
func (p Plan) same(other Plan) bool {
	return p.text == other.text && p.Timezone() == other.Timezone()
}

// Next is the first slot after an instant, in UTC. There always is one.
func (p Plan) Next(after time.Time) time.Time {
	switch {
	case p.spec == nil:
		return p.every.Next(after).UTC()
	case p.spec.Hour&everyHour != 0:
		return p.nextHourly(after.In(p.location)).UTC()
	}
	return p.nextOfDay(after.In(p.location)).UTC()
}

// nextHourly looks through the stretches of time in which the clock ticks evenly.
func (p Plan) nextHourly(at time.Time) time.Time {
	shown := wall(at)
	for {
		offset, end := stretch(at)
		slot := p.matching(shown).Add(-offset)
		if end.IsZero() || slot.Before(end) {
			return slot
		}
		at, shown = end, wall(end).Add(-1) // the stretch may begin with a slot
	}
}

// nextOfDay passes over the times that were shown before the clock went back.
func (p Plan) nextOfDay(after time.Time) time.Time {
	for shown := wall(after); ; {
		shown = p.matching(shown)
		if slot := first(shown, p.location); slot.After(after) {
			return slot
		}
	}
}

// matching is the next time of the expression after what the clock shows. The
// parser's own search ends after five years, which 29 February may not come in;
// Parse has seen that it comes.
func (p Plan) matching(shown time.Time) time.Time {
	for {
		if next := p.spec.Next(shown); !next.IsZero() {
			return next
		}
		shown = shown.AddDate(5, 0, 0)
	}
}

// wall is what the clock shows at an instant, written as if it were UTC.
func wall(at time.Time) time.Time {
	offset, _ := stretch(at)
	return at.UTC().Add(offset)
}

// stretch is how far the clock is ahead of UTC at an instant, and until when it
// is so at least; a zero end is for ever. On the last day of a leap year the end
// that ZoneBounds gives may lie a day too early (golang/go issue 81583).
func stretch(at time.Time) (offset time.Duration, end time.Time) {
	_, seconds := at.Zone()
	_, end = at.ZoneBounds()
	if !end.IsZero() && !end.After(at) {
		end = end.Add(24 * time.Hour)
	}
	return time.Duration(seconds) * time.Second, end
}

// first is the first instant at which the clock shows a time or a later one.
// time.Date will not do: it promises nothing for times that are skipped or come
// twice.
func first(shown time.Time, location *time.Location) time.Time {
	at := shown.Add(-26 * time.Hour).In(location) // no zone is so far from UTC
	for {
		offset, end := stretch(at)
		switch slot := shown.Add(-offset); {
		case slot.Before(at):
			return at // the stretch began later than that
		case end.IsZero() || slot.Before(end):
			return slot
		}
		at = end
	}
}

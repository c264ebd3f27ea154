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
// "@every 5m" goes by elapsed time. Any other expression names what the clock shows,
// and each time that it names has one slot: the first instant at which the clock
// shows that time or a later one. So a time that comes twice runs the first time, and
// one that is skipped runs at the end of the gap, together with all others that are.
type Plan struct {
	text     string
	location *time.Location
	every    cron.ConstantDelaySchedule // if spec is nil
	spec     *cron.SpecSchedule         // in UTC: it gets what the clock shows
}

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
		return errors.New("the time zone is set by schedule.timezone")
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
	if p.spec == nil {
		return p.every.Next(after).UTC()
	}
	for shown := wall(after.In(p.location)); ; {
		shown = p.matching(shown)
		// What was shown before the clock went back is passed over.
		if slot := first(shown, p.location); slot.After(after) {
			return slot.UTC()
		}
	}
}

// matching is the next time of the expression after what the clock shows. The
// parser's own search ends after five years, which 29 February may not come in;
// Parse has checked that it comes.
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
	offset, _ := zoneAt(at)
	return at.UTC().Add(offset)
}

// zoneAt is how far the clock is ahead of UTC at an instant, and until when it
// is so at least; a zero end means indefinitely. On the last day of a leap year the end
// that ZoneBounds gives may lie a day too early (golang/go issue 81583).
func zoneAt(at time.Time) (offset time.Duration, end time.Time) {
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
		offset, end := zoneAt(at)
		switch slot := shown.Add(-offset); {
		case slot.Before(at):
			return at // the offset began later than that
		case end.IsZero() || slot.Before(end):
			return slot
		}
		at = end
	}
}

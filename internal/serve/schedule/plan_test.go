package schedule

import (
	"strings"
	"testing"
	"time"
)

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	location, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return location
}

func plan(t testing.TB, text, timezone string) Plan {
	t.Helper()
	p, err := Parse(text, zone(t, timezone))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func moment(t testing.TB, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestSlotsWhenTheClockChanges(t *testing.T) {
	for _, c := range []struct{ name, text, zone, after, want string }{
		{
			"a time that is skipped runs at the end of the gap", "30 2 * * *", "Europe/Berlin", "2026-03-28T03:00:00+01:00",
			"2026-03-29T03:00:00+02:00 2026-03-30T02:30:00+02:00",
		},
		{
			"several that are skipped run once", "0,15,30 2 * * *", "Europe/Berlin", "2026-03-28T03:00:00+01:00",
			"2026-03-29T03:00:00+02:00 2026-03-30T02:00:00+02:00",
		},
		{
			"one at the end of the gap runs once, for those in it as well", "30 2,3 * * *", "Europe/Berlin", "2026-03-28T04:00:00+01:00",
			"2026-03-29T03:00:00+02:00 2026-03-29T03:30:00+02:00 2026-03-30T02:30:00+02:00",
		},
		{
			"the end of the gap itself", "0 2,3 * * *", "Europe/Berlin", "2026-03-28T04:00:00+01:00",
			"2026-03-29T03:00:00+02:00 2026-03-30T02:00:00+02:00",
		},
		{
			"a time that comes twice runs the first time", "30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00+02:00",
			"2026-10-25T02:30:00+02:00 2026-10-26T02:30:00+01:00",
		},
		{
			"after an instant between the two", "30 2 * * *", "Europe/Berlin", "2026-10-25T02:10:00+01:00",
			"2026-10-26T02:30:00+01:00",
		},
		{
			"the end of the hour that comes twice", "0 3 * * *", "Europe/Berlin", "2026-10-25T02:59:00+02:00",
			"2026-10-25T03:00:00+01:00",
		},
		{
			"every minute of some hours", "*/20 1-2 * * *", "America/New_York", "2026-11-01T01:30:00-04:00",
			"2026-11-01T01:40:00-04:00 2026-11-01T02:00:00-05:00 2026-11-01T02:20:00-05:00",
		},
		{
			"* for the hour runs once in the hour that comes twice", "30 * * * *", "Europe/Berlin", "2026-10-25T01:30:00+02:00",
			"2026-10-25T02:30:00+02:00 2026-10-25T03:30:00+01:00",
		},
		{
			"* for the hour passes over the hour that is skipped", "@hourly", "Europe/Berlin", "2026-03-29T00:00:00+01:00",
			"2026-03-29T01:00:00+01:00 2026-03-29T03:00:00+02:00 2026-03-29T04:00:00+02:00",
		},
		{
			"* for the hour where the clock goes by half an hour", "0 * * * *", "Australia/Lord_Howe", "2026-10-04T01:00:00+10:30",
			"2026-10-04T02:30:00+11:00 2026-10-04T03:00:00+11:00",
		},
		{
			"* for the hour where a skipped midnight ends", "0 * * * 0", "America/Santiago", "2026-09-05T23:30:00-04:00",
			"2026-09-06T01:00:00-03:00 2026-09-06T02:00:00-03:00",
		},
		{
			"half an hour is skipped", "15 2 * * *", "Australia/Lord_Howe", "2026-10-03T03:00:00+10:30",
			"2026-10-04T02:30:00+11:00 2026-10-05T02:15:00+11:00",
		},
		{
			"midnight is skipped", "@daily", "America/Santiago", "2026-09-05T00:00:00-04:00",
			"2026-09-06T01:00:00-03:00 2026-09-07T00:00:00-03:00",
		},
		{
			"midnight is skipped on the day of the week", "0 0 * * 0", "America/Santiago", "2026-09-01T00:00:00-04:00",
			"2026-09-06T01:00:00-03:00 2026-09-13T00:00:00-03:00",
		},
		{
			"a whole day is skipped", "0 12 * * *", "Pacific/Apia", "2011-12-29T11:00:00-10:00",
			"2011-12-29T12:00:00-10:00 2011-12-31T00:00:00+14:00 2011-12-31T12:00:00+14:00",
		},
		{
			"the last day of a leap year", "30 2 * * *", "Europe/Berlin", "2040-12-30T12:00:00+01:00",
			"2040-12-31T02:30:00+01:00 2041-01-01T02:30:00+01:00",
		},
		{
			"the last day of a leap year, with * for the hour", "30 * * * *", "Australia/Lord_Howe", "2040-12-31T23:00:00+11:00",
			"2040-12-31T23:30:00+11:00 2041-01-01T00:30:00+11:00",
		},
		{
			"elapsed time knows no clock", "@every 90m", "Europe/Berlin", "2026-03-29T01:00:00+01:00",
			"2026-03-29T03:30:00+02:00 2026-03-29T05:00:00+02:00",
		},
		{
			"a leap day that is eight years off", "0 0 29 2 *", "UTC", "2096-03-01T00:00:00Z",
			"2104-02-29T00:00:00Z 2108-02-29T00:00:00Z",
		},
		{
			"a part of a second", "0 2 * * *", "UTC", "2026-03-01T01:59:59.999999999Z",
			"2026-03-01T02:00:00Z",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, at := plan(t, c.text, c.zone), moment(t, c.after)
			for text := range strings.FieldsSeq(c.want) {
				got := p.Next(at)
				if !got.Equal(moment(t, text)) {
					t.Fatalf("after %s comes %s, want %s", at, got.In(p.location), text)
				}
				at = got
			}
		})
	}
}

func TestWhatIsNoScheduleIsRefused(t *testing.T) {
	for _, text := range []string{
		"", " ", "TZ=UTC", "CRON_TZ=UTC", "TZ=UTC 0 2 * * *", "CRON_TZ=Europe/Berlin @daily", "0 2 * *", "0 0 2 * * *", "@never",
		"@every", "@every 0s", "@every -5m", "@every 999ms", "@every soon", "0 0 30 2 *", ", * * * *", "60 * * * *", "a b c d e", "TZ=",
	} {
		if p, err := Parse(text, time.UTC); err == nil {
			t.Errorf("%q was taken, and runs at %s", text, p.Next(time.Unix(0, 0)))
		} else if !strings.HasPrefix(err.Error(), "read the schedule") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func FuzzParseNeitherPanicsNorStandsStill(f *testing.F) {
	for _, seed := range []string{"TZ=UTC", "@every 5m", "0 2 * * *", "@daily", "*/7 1-5 ? jan-mar mon", "0/0 * * * *"} {
		f.Add(seed)
	}
	location := zone(f, "America/Santiago")
	start := time.Date(2026, 9, 5, 22, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, text string) {
		p, err := Parse(text, location)
		if err != nil {
			return
		}
		if one := p.Next(start); !one.After(start) || !p.Next(one).After(one) {
			t.Errorf("%q: %s, then %s", text, one, p.Next(one))
		}
	})
}

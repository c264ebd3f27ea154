package schedule

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// changing are zones whose clocks change in different ways: by an hour, by half
// an hour, at midnight, across a whole day, and not at all.
var changing = []string{
	"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Santiago",
	"Asia/Kathmandu", "Africa/Casablanca", "America/Nuuk", "Antarctica/Troll", "Pacific/Apia", "UTC",
}

// fields is an expression as lists of numbers; nil is a *.
type fields struct{ minutes, hours, days, months, weekdays []int }

func (f fields) String() string {
	var words []string
	for _, field := range [][]int{f.minutes, f.hours, f.days, f.months, f.weekdays} {
		word := strings.Trim(strings.ReplaceAll(fmt.Sprint(field), " ", ","), "[]")
		if field == nil {
			word = "*"
		}
		words = append(words, word)
	}
	return strings.Join(words, " ")
}

// match says what cron's manual does, without the parser.
func (f fields) match(shown time.Time) bool {
	in := func(field []int, value int) bool { return field == nil || slices.Contains(field, value) }
	if !in(f.minutes, shown.Minute()) { // most are not
		return false
	}
	day, weekday := in(f.days, shown.Day()), in(f.weekdays, int(shown.Weekday()))
	if f.days != nil && f.weekdays != nil {
		day = day || weekday
	} else {
		day = day && weekday
	}
	return day && in(f.hours, shown.Hour()) && in(f.months, int(shown.Month()))
}

func anyFields(t *rapid.T) fields {
	some := func(name string, low, high, most int) []int {
		if rapid.Bool().Draw(t, name+" is *") {
			return nil
		}
		return rapid.SliceOfNDistinct(rapid.IntRange(low, high), 1, most, rapid.ID).Draw(t, name)
	}
	f := fields{
		hours: some("hours", 0, 23, 4), days: some("days", 1, 28, 12), months: some("months", 1, 12, 10), weekdays: some("weekdays", 0, 6, 5),
		minutes: rapid.SliceOfNDistinct(rapid.IntRange(0, 59), 1, 4, rapid.ID).Draw(t, "minutes"),
	}
	if f.hours != nil && rapid.Bool().Draw(t, "in the night") { // when clocks change
		f.hours = rapid.SliceOfNDistinct(rapid.IntRange(0, 3), 1, 4, rapid.ID).Draw(t, "hours of the night")
	}
	return f
}

// slotsOf walks through every minute of a range and applies the rule as it is
// written: the first instant at which the clock shows a time or a later one.
func slotsOf(f fields, location *time.Location, from, to time.Time) (slots []time.Time) {
	high := wall(from.In(location)).Add(-time.Minute)
	var ahead time.Duration
	for at := from; at.Before(to); at = at.Add(time.Minute) {
		if at.Minute()%15 == 0 { // no clock changes at another time
			ahead, _ = zoneAt(at.In(location))
		}
		due := false
		for shown := at.Add(ahead); high.Before(shown); {
			high = high.Add(time.Minute)
			due = due || f.match(high)
		}
		if due {
			slots = append(slots, at)
		}
	}
	return slots
}

func TestSlotsAreThoseOfTheRule(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		location, err := time.LoadLocation(rapid.SampledFrom(changing).Draw(t, "zone"))
		if err != nil {
			t.Fatal(err)
		}
		f := anyFields(t)
		p, err := Parse(f.String(), location)
		if err != nil {
			t.Fatalf("%v", err)
		}
		year := rapid.IntRange(2005, 2040).Draw(t, "year")
		month := rapid.IntRange(1, 12).Draw(t, "month")
		from := time.Date(year, time.Month(month), 1, 12, 0, 0, 0, location).UTC() // no clock changes near it
		to := from.AddDate(0, 2, 0)
		want := slotsOf(f, location, from, to)
		at := from.Add(-time.Second)
		dice := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "dice"), 0))
		for i, slot := range want {
			// From any instant since the slot before, the next one is the same.
			between := at.Add(time.Duration(dice.Int64N(int64(slot.Sub(at)))))
			for _, after := range []time.Time{at, between, slot.Add(-1)} {
				if got := p.Next(after); !got.Equal(slot) {
					t.Fatalf("%s in %s: slot %d after %s is %s, want %s", p, location, i, after.In(location), got.In(location), slot.In(location))
				}
			}
			at = slot
		}
		if got := p.Next(at); got.Before(to) {
			t.Fatalf("%s in %s: another slot at %s", p, location, got.In(location))
		}
	})
}

func TestATimeOfTheDayComesOnceADay(t *testing.T) {
	for _, name := range []string{"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Santiago", "Asia/Kathmandu", "UTC"} {
		for _, text := range []string{"0 0 * * *", "30 0 * * *", "15 1 * * *", "45 1 * * *", "0 2 * * *", "30 2 * * *", "0 3 * * *", "59 23 * * *"} {
			p := plan(t, text, name)
			at := time.Date(2023, 12, 31, 23, 59, 59, 0, p.location)
			for day := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC); day.Year() <= 2030; day = day.AddDate(0, 0, 1) {
				at = p.Next(at).In(p.location)
				if got := wall(at).Truncate(24 * time.Hour); !got.Equal(day) {
					t.Fatalf("%s in %s: %s where %s should have its slot", text, name, at, day.Format(time.DateOnly))
				}
			}
		}
	}
}

func TestEveryIsEven(t *testing.T) {
	p := plan(t, "@every 7m30s", "Australia/Lord_Howe")
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	at := start
	for i := range 100_000 {
		if want := start.Add(time.Duration(i) * 450 * time.Second); !at.Equal(want) {
			t.Fatalf("slot %d is at %s, want %s", i, at, want)
		}
		at = p.Next(at)
	}
}

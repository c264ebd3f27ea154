package instant_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/flashback-sync/flashback-sync/checkpoints/instant"
)

func TestParseReadsWhatServersSend(t *testing.T) {
	for text, want := range map[string]string{
		"2024-01-15T10:30:00.000Z":       "2024-01-15T10:30:00Z",
		"2024-01-15T10:30:00Z":           "2024-01-15T10:30:00Z",
		"2024-01-15T10:30:00.5Z":         "2024-01-15T10:30:00.5Z",
		"2024-01-15T10:30:00.123456789Z": "2024-01-15T10:30:00.123456Z",
		"2024-01-15T10:30:00+02:00":      "2024-01-15T08:30:00Z",
		"2024-01-15T10:30:00-0530":       "2024-01-15T16:00:00Z",
		"2024-01-15T10:30:00+02":         "2024-01-15T08:30:00Z",
		"2024-01-15T10:30:00":            "2024-01-15T10:30:00Z",
		"2024-01-15 10:30:00z":           "2024-01-15T10:30:00Z",
		"2024-02-29":                     "2024-02-29T00:00:00Z",
		"9999-12-31T23:59:59.999Z":       "9999-12-31T23:59:59.999Z",
		"1969-12-31T23:59:59.999999Z":    "1969-12-31T23:59:59.999999Z",
		"0001-01-01T00:00:00Z":           "0001-01-01T00:00:00Z",
		"2026-11-29T10:30Z":              "2026-11-29T10:30:00Z",
		"2026-11-29T10:30":               "2026-11-29T10:30:00Z",
		"2026-11-29 10:30+02:00":         "2026-11-29T08:30:00Z",
		"2026-11-29t10:30:00,25z":        "2026-11-29T10:30:00.25Z",
		"2026-11-29T10:30:00+0000":       "2026-11-29T10:30:00Z",
		"2026-11-29T10:30:00+00":         "2026-11-29T10:30:00Z",
		"2026-11-29T24:00:00Z":           "2026-11-30T00:00:00Z",
		"2026-12-31T24:00:00.000Z":       "2027-01-01T00:00:00Z",
		"2026-12-31T24:00+01:00":         "2026-12-31T23:00:00Z",
		"2016-12-31T23:59:60Z":           "2017-01-01T00:00:00Z",
		"2016-12-31T23:59:60.75Z":        "2017-01-01T00:00:00.75Z",
		"2017-01-01T05:29:60+05:30":      "2017-01-01T00:00:00Z",
		"+002026-11-29T10:30:00.000Z":    "2026-11-29T10:30:00Z",
	} {
		wanted, err := time.Parse(time.RFC3339Nano, want)
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := instant.Parse(text); !ok || !got.Time().Equal(wanted) {
			t.Errorf("%s: %v %v, want %v", text, got.Time(), ok, wanted)
		}
	}
}

func TestParseRefusesWhatIsNotAnInstant(t *testing.T) {
	for _, text := range []string{
		"", "yesterday", "2024", "2024-13-01", "2023-02-29", "2024-00-10", "2024-01-15T", "2024-01-15T24:00:01Z",
		"2024-01-15T24:01Z", "2024-01-15T24:00:00.1Z", "2024-01-15T25:00Z", "2024-01-15T10:30:60Z", "2024-01-15T23:59:61Z", "2024-01-15T23:59:60+02:00",
		"2024-01-15T10", "2024-01-15T10Z", "2024-01-15T10:30.5Z", "2024-01-15T10:60Z", "2024-01-15T10:30:", "2024-01-15T10:30:0Z", "2024-01-15T10:3Z",
		"+010000-01-01T00:00:00Z", "-000001-01-01T00:00:00Z", "+2024-01-15T10:30:00Z", "+00202-01-15", "+", "+00",
		"2024-01-15T10:30:00Z[UTC]", "2024-01-15T10:30:00 UTC", "2024-01-15T10:30:00+01:00[Europe/Berlin]", "20240115T103000Z", "2024-W03-1",
		"Mon Jan 15 2024 10:30:00 GMT+0000", "Mon, 15 Jan 2024 10:30:00 GMT", "2024-01-15T10:30:00 +02:00", "2024-01-15T10:30:00.Z", "2024-01-15T10:30:00ZZ",
		"2024-01-15T10:30:00+2", "2024-01-15T10:30:00+25:00", "2024-01-15T10:30:00+24:00", "2024-01-15T10:30:00+05:60", "2024-01-15T10:30-0560", "1705314600", "2024-1-5T10:30:00Z", " 2024-01-15",
	} {
		if got, ok := instant.Parse(text); ok {
			t.Errorf("%q was read as %v", text, got.Time())
		}
	}
}

// TestDaysOfTheCalendar holds days of all years against package time.
func TestDaysOfTheCalendar(t *testing.T) {
	for day := time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC); day.Year() <= 9999; day = day.AddDate(0, 0, 1+day.Year()/20) {
		if got, ok := instant.Parse(day.AppendFormat(nil, time.DateOnly)); !ok || got != instant.Of(day) {
			t.Fatalf("%v: %v %v", day, got.Time(), ok)
		}
	}
}

func TestFormatAndParseAreInverse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := instant.Micros(rapid.Int64Range(-62135596800000, 253402300799999).Draw(t, "ms")) * instant.Millisecond
		if got, ok := instant.Parse(m.Format()); !ok || got != m {
			t.Fatalf("%s: %v %v", m.Format(), got, ok)
		}
	})
}

func TestFloorAlsoBefore1970(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := instant.Micros(rapid.Int64Range(-1e15, 1e15).Draw(t, "m"))
		for _, unit := range []instant.Micros{instant.Millisecond, instant.Second, instant.Day} {
			if f := m.Floor(unit); f > m || m-f >= unit || f%unit != 0 {
				t.Fatalf("%d floored by %d to %d", m, unit, f)
			}
		}
	})
}

// FuzzParse holds every accepted text against the standard library's reading.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{"2024-01-15T10:30:00.000Z", "2024-01-15", "2024-01-15T10:30:00.1234567+05:30", "2026-11-29T24:00", "2016-12-31T23:59:60Z", "+002024-01-15T10:30Z", "x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, ok := instant.Parse(text)
		if again, same := instant.Parse([]byte(text)); again != got || same != ok {
			t.Fatalf("%q: text and bytes differ", text)
		}
		want, err := time.Parse(time.RFC3339Nano, text)
		if err != nil {
			return
		}
		if ok && got != instant.Of(want) {
			t.Fatalf("%q: %v, the standard library reads %v", text, got.Time(), want)
		}
		// The standard library also takes hours of one digit, which are no ISO 8601.
		if written := want.UTC().Format(time.RFC3339Nano); want.UTC().Year() >= 0 && want.UTC().Year() <= 9999 {
			if again, ok := instant.Parse(written); !ok || again != instant.Of(want) {
				t.Fatalf("%q: %v %v", written, again.Time(), ok)
			}
		}
	})
}

package apisim

import (
	"math"
	"reflect"
	"testing"
	"time"
	"unsafe"

	"pgregory.net/rapid"
)

func TestSameSeedSameRows(t *testing.T) {
	one, two := New(small()), New(small())
	if !reflect.DeepEqual(one.Alerts(), two.Alerts()) {
		t.Error("alerts differ")
	}
	other := small()
	other.Seed++
	if reflect.DeepEqual(one.Rows(Violations), New(other).Rows(Violations)) {
		t.Error("another seed gives the same rows")
	}
}

// However time is cut into steps, and whatever tests add meanwhile, the same happens.
func TestGrowthDoesNotDependOnSteps(t *testing.T) {
	options := small()
	options.Days = 1
	whole := New(options)
	whole.Advance(12 * time.Hour)
	alerts, violations := whole.Alerts(), whole.Rows(Violations)
	rapid.Check(t, func(rt *rapid.T) {
		s := New(options)
		for s.Now().Before(whole.Now()) {
			step := time.Duration(rapid.IntRange(1, int(6*time.Hour/time.Millisecond)).Draw(rt, "ms")) * time.Millisecond
			s.Advance(min(step, whole.Now().Sub(s.Now())))
			s.Delete(Alerts, s.AddAlerts(s.NewRow(Alerts, s.Now(), 0))...)
		}
		if !reflect.DeepEqual(alerts, s.Alerts()) || !reflect.DeepEqual(violations, s.Rows(Violations)) {
			rt.Fatal("rows differ")
		}
	})
}

func TestClockGoesBackWithoutRepeatingItself(t *testing.T) {
	s := New(small())
	s.Advance(time.Hour)
	want := s.Len(Alerts)
	s.SetNow(noon.AddDate(-1, 0, 0))
	s.Advance(24 * time.Hour)
	if s.Len(Alerts) != want {
		t.Errorf("%d rows, want %d", s.Len(Alerts), want)
	}
	s.SetNow(noon.Add(time.Hour))
	if s.Advance(4 * time.Hour); s.Len(Alerts) <= want {
		t.Error("no growth after the clock came back")
	}
}

func TestRowsAreInOrderWithinHistoryAndUnique(t *testing.T) {
	options := small()
	options.AlertsPerDay = 2000
	s := New(options)
	ids, ties, last := map[string]bool{}, 0, time.Time{}
	for _, row := range s.Alerts() {
		switch {
		case ids[row.ID]:
			t.Fatalf("id %s twice", row.ID)
		case row.Timestamp.Before(last), row.Timestamp.After(noon), row.Timestamp.Before(noon.AddDate(0, 0, -20)):
			t.Fatalf("row at %s after one at %s", row.Timestamp, last)
		case row.Timestamp.Equal(last):
			ties++
		}
		ids[row.ID], last = true, row.Timestamp
	}
	if ties < len(ids)/100 || ties > len(ids)/10 {
		t.Errorf("%d ties among %d rows", ties, len(ids))
	}
}

// The volume is what was wanted, quieter on weekends and at night, and growing.
func TestVolumeHasAShape(t *testing.T) {
	options := small()
	options.Days, options.AlertsPerDay, options.ViolationsPerDay = 84, 500, 0
	s := New(options)
	if s.Len(Violations) != 0 {
		t.Errorf("%d violations", s.Len(Violations))
	}
	if mean := float64(s.Len(Alerts)) / 84; math.Abs(mean-500) > 30 {
		t.Errorf("%.0f alerts a day", mean)
	}
	weekend, night, early, users := 0, 0, 0, map[string]int{}
	for _, row := range s.Alerts() {
		if day := row.Timestamp.Weekday(); day == time.Saturday || day == time.Sunday {
			weekend++
		}
		if row.Timestamp.Hour() < 6 {
			night++
		}
		if row.Timestamp.Before(noon.AddDate(0, 0, -42)) {
			early++
		}
		users[row.UserName]++
	}
	n := s.Len(Alerts)
	if weekend > n/7 || night > n/10 || early > n*48/100 || early < n*40/100 {
		t.Errorf("of %d rows %d on weekends, %d at night, %d in the first half", n, weekend, night, early)
	}
	if len(users) < 50 || users["John Doe"] < 4*n/len(users) {
		t.Errorf("%d users, the noisiest with %d rows of %d", len(users), users["John Doe"], n)
	}
}

func TestRecordsStaySmall(t *testing.T) {
	if size := unsafe.Sizeof(record{}); size > 24 {
		t.Errorf("a record takes %d bytes", size)
	}
}

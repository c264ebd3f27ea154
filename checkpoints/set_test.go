package checkpoints_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/flashback-sync/flashback-sync/checkpoints"
)

var epoch = time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)

// horizon bounds the instants that the model tries: 0..horizon-1 minutes.
const horizon = 40

func at(minute int) time.Time { return epoch.Add(time.Duration(minute) * time.Minute) }

func interval(from, to int) checkpoints.Interval {
	return checkpoints.Interval{From: at(from), To: at(to)}
}

// model is a set of minutes, the plain thing a Set must equal.
type model [horizon]bool

func modelOf(s checkpoints.Set) (m model) {
	for i := range m {
		m[i] = s.Contains(at(i))
	}
	return m
}

func drawSet(t *rapid.T, name string) (checkpoints.Set, model) {
	var intervals []checkpoints.Interval
	var m model
	for range rapid.IntRange(0, 6).Draw(t, name+" size") {
		from := rapid.IntRange(0, horizon).Draw(t, name+" from")
		to := rapid.IntRange(0, horizon).Draw(t, name+" to")
		intervals = append(intervals, interval(from, to))
		for i := from; i < to; i++ {
			m[i] = true
		}
	}
	return checkpoints.Of(intervals...), m
}

func requireCanonical(t *rapid.T, s checkpoints.Set) {
	for i, x := range s {
		if x.Empty() || (i > 0 && !s[i-1].To.Before(x.From)) {
			t.Fatalf("not canonical: %v", s)
		}
	}
}

func TestSetOperationsEqualTheModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, ma := drawSet(t, "a")
		b, mb := drawSet(t, "b")
		cut := rapid.IntRange(0, horizon).Draw(t, "cut")
		before, after := a.Split(at(cut))
		var union, minus, both, head, tail model
		for i := range horizon {
			union[i], minus[i], both[i] = ma[i] || mb[i], ma[i] && !mb[i], ma[i] && mb[i]
			head[i], tail[i] = ma[i] && i < cut, ma[i] && i >= cut
		}
		for name, c := range map[string]struct {
			got  checkpoints.Set
			want model
		}{
			"of": {a, ma}, "union": {a.Union(b), union}, "subtract": {a.Subtract(b), minus},
			"intersect": {a.Intersect(b), both}, "before": {before, head}, "after": {after, tail},
		} {
			requireCanonical(t, c.got)
			if modelOf(c.got) != c.want {
				t.Fatalf("%s of %v and %v (cut %d) is %v", name, a, b, cut, c.got)
			}
		}
	})
}

func TestSetMeasures(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, m := drawSet(t, "s")
		minutes, first, last := 0, -1, -1
		for i, in := range m {
			if in {
				minutes++
				last = i
				if first < 0 {
					first = i
				}
			}
		}
		if s.Duration() != time.Duration(minutes)*time.Minute {
			t.Fatalf("%v lasts %v, want %d minutes", s, s.Duration(), minutes)
		}
		extent, ok := s.Extent()
		if ok != (minutes > 0) || (ok && extent != interval(first, last+1)) {
			t.Fatalf("extent of %v is %v %v", s, extent, ok)
		}
		if probe := interval(3, 9); s.Covers(probe) != (m[3] && m[4] && m[5] && m[6] && m[7] && m[8]) {
			t.Fatalf("%v covers %v: %v", s, probe, s.Covers(probe))
		}
	})
}

// FuzzSet feeds raw bytes as interval bounds: whatever they are, subtraction and
// union must put the pieces back together.
func FuzzSet(f *testing.F) {
	f.Add([]byte{1, 5, 3, 9}, []byte{4, 6})
	f.Add([]byte{0, 255}, []byte{})
	f.Fuzz(func(t *testing.T, x, y []byte) {
		a, b := fromBytes(x), fromBytes(y)
		whole := a.Union(b)
		if again := a.Subtract(b).Union(b); modelOf(again) != modelOf(whole) || len(again) != len(whole) {
			t.Fatalf("(%v - %v) + %v = %v", a, b, b, again)
		}
		if len(a.Subtract(b).Intersect(b)) != 0 {
			t.Fatalf("%v - %v still overlaps", a, b)
		}
	})
}

func fromBytes(b []byte) checkpoints.Set {
	var intervals []checkpoints.Interval
	for ; len(b) >= 2; b = b[2:] {
		intervals = append(intervals, interval(int(b[0]), int(b[1])))
	}
	return checkpoints.Of(intervals...)
}

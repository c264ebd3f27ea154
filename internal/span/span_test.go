package span

import (
	"math"
	"testing"
	"time"
)

func TestSpansAreReadAtAGlance(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0 ms", 350 * time.Millisecond: "350 ms", 4230 * time.Millisecond: "4.2 s", 42 * time.Second: "42 s", 96 * time.Second: "1 min 36 s",
		time.Hour: "1 h", 192 * time.Minute: "3 h 12 min", 50 * time.Hour: "2 d 2 h", 120*day + time.Hour: "120 d", -time.Hour: "−1 h", math.MinInt64: "−106,751 d",
	} {
		if got := Words(d); got != want {
			t.Errorf("%v is %q, want %q", d, got, want)
		}
	}
}

func TestInstantsAreToldFromNow(t *testing.T) {
	now := time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)
	for d, want := range map[time.Duration]string{
		0: "just now", 59 * time.Second: "just now", -59 * time.Second: "just now", time.Minute: "1 min ago", -90 * time.Second: "in 1 min",
		40*time.Hour + 30*time.Second: "1 d 16 h ago", 2 * day: "2 days ago", -59 * day: "in 59 days", 60 * day: "2 months ago", 800 * day: "2 years ago",
	} {
		if got := Ago(now, now.Add(-d)); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
}

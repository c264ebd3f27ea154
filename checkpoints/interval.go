package checkpoints

import (
	"fmt"
	"time"
)

// Interval is the half-open range of time [From, To), in UTC.
type Interval struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

// Empty reports whether the interval contains no instant.
func (i Interval) Empty() bool { return !i.From.Before(i.To) }

// Duration is the interval's length, zero if it is empty.
func (i Interval) Duration() time.Duration {
	if i.Empty() {
		return 0
	}
	return i.To.Sub(i.From)
}

// Contains reports whether the instant is in the interval.
func (i Interval) Contains(t time.Time) bool { return !t.Before(i.From) && t.Before(i.To) }

// Intersect is what the intervals share; it may be empty.
func (i Interval) Intersect(o Interval) Interval {
	return Interval{From: later(i.From, o.From), To: earlier(i.To, o.To)}
}

func (i Interval) equal(o Interval) bool { return i.From.Equal(o.From) && i.To.Equal(o.To) }

func (i Interval) String() string {
	return fmt.Sprintf("[%s, %s)", i.From.UTC().Format(time.RFC3339Nano), i.To.UTC().Format(time.RFC3339Nano))
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

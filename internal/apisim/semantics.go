package apisim

import "time"

// Semantics are the behaviours that the API's reference leaves open, and the
// ways in which a real server may depart from it. The zero value is what the
// reference says, with inclusive bounds that honour milliseconds.
type Semantics struct {
	// FromExclusive and ToExclusive leave the bound's own instant out.
	FromExclusive, ToExclusive bool
	// Resolution is how much of a bound's time of day is honoured.
	Resolution Resolution
	// IgnoreFrom and IgnoreTo take no notice of the bound.
	IgnoreFrom, IgnoreTo bool
	// IgnoreSkip answers every request as if skip were 0 (it still echoes it).
	IgnoreSkip bool
	// LowerTake, if positive, is the most rows an answer has, whatever take
	// says; the answer still echoes the take that was requested.
	LowerTake int
	// ShuffleTies orders rows of one timestamp anew on every request.
	ShuffleTies bool
	// TotalOffset is added to every total; TotalRandom moves it by up to that
	// much either way, differently on every request; TotalCap is its maximum.
	TotalOffset, TotalRandom, TotalCap int
	// Digits is what is kept and shown below the millisecond in rows that are
	// generated from then on.
	Digits Digits
	// NoDate sends no Date header; DateSkew is added to the one that is sent.
	NoDate   bool
	DateSkew time.Duration
	// NoViolations answers the violations endpoints as production does: 404.
	NoViolations bool
	// MaxWindow refuses longer statistics windows with 400; "" refuses none.
	MaxWindow string
	// Latency is the mean time an answer takes, exponentially distributed.
	Latency time.Duration
}

// Resolution is how much of a bound the server honours.
type Resolution uint8

// The resolutions. The truncating ones cut the bound down to its unit and
// compare rows with the result in full, so that an inclusive `to` loses what
// happened within its unit. The whole ones compare in whole units: an inclusive
// `to` means to the end of its second or day.
const (
	Millisecond Resolution = iota
	TruncatedSecond
	WholeSecond
	TruncatedDay
	WholeDay
)

// Digits is how times below a millisecond are treated.
type Digits uint8

// MillisecondDigits keeps none. MicrosecondDigits keeps microseconds and shows
// them. HiddenMicroseconds keeps them for ordering and bounds but shows
// milliseconds, as a server does whose database is finer than its language.
const (
	MillisecondDigits Digits = iota
	MicrosecondDigits
	HiddenMicroseconds
)

const (
	microsPerSecond = int64(time.Second / time.Microsecond)
	microsPerDay    = 24 * 60 * 60 * microsPerSecond
)

func (r Resolution) unit() (micros int64, whole bool) {
	switch r {
	case TruncatedSecond:
		return microsPerSecond, false
	case WholeSecond:
		return microsPerSecond, true
	case TruncatedDay:
		return microsPerDay, false
	case WholeDay:
		return microsPerDay, true
	default:
		return 1000, false
	}
}

// lower is the first microsecond that a `from` bound lets in.
func (m *Semantics) lower(from int64) int64 {
	unit, whole := m.Resolution.unit()
	from = floorTo(from, unit)
	switch {
	case !m.FromExclusive:
		return from
	case whole:
		return from + unit
	default:
		return from + 1
	}
}

// upper is the first microsecond that a `to` bound keeps out.
func (m *Semantics) upper(to int64) int64 {
	unit, whole := m.Resolution.unit()
	to = floorTo(to, unit)
	switch {
	case m.ToExclusive:
		return to
	case whole:
		return to + unit
	default:
		return to + 1
	}
}

// floorTo is the largest multiple of unit that is not above t, also for t < 0.
func floorTo(t, unit int64) int64 {
	rest := t % unit
	if rest < 0 {
		rest += unit
	}
	return t - rest
}

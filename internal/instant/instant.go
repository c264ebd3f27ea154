// Package instant reads the timestamps of the API and writes those it is asked
// with.
//
// The walk that pages through the API and the decoder that fills the tables must
// agree on every timestamp to the microsecond, so both read them here. An
// instant is a count of microseconds since 1970-01-01 UTC.
//
// Accepted is ISO 8601 as RFC 3339 narrows it, and what servers are known to
// send beside it: any UTC offset, a missing offset (read as UTC), a space in
// place of the T, a date alone (its midnight, UTC). Digits finer than a
// microsecond are cut off, never rounded, so that an instant is never later than
// the text says.
package instant

import "time"

// Micros is an instant: microseconds since 1970-01-01T00:00:00Z.
type Micros int64

const (
	// Millisecond, Second and Day are durations in the unit of Micros.
	Millisecond Micros = 1e3
	Second      Micros = 1e6
	Day         Micros = 86400e6
)

// Of is the instant of a time, cut to the microsecond.
func Of(t time.Time) Micros { return Micros(t.UnixMicro()) }

// Time is the instant as a time in UTC.
func (m Micros) Time() time.Time { return time.UnixMicro(int64(m)).UTC() }

// Floor cuts the instant down to a multiple of grain, also before 1970.
func (m Micros) Floor(grain Micros) Micros {
	rest := m % grain
	if rest < 0 {
		rest += grain
	}
	return m - rest
}

// Format writes the instant for a query parameter, in milliseconds:
// 2024-01-15T10:30:00.000Z.
func (m Micros) Format() string { return m.Time().Format("2006-01-02T15:04:05.000Z") }

// Parse reads a timestamp. It reports false for what is not one.
func Parse[Bytes ~[]byte | ~string](s Bytes) (Micros, bool) {
	p := parser[Bytes]{rest: s}
	year, month, day := p.digits(4), p.after('-', 2), p.after('-', 2)
	if p.failed || month < 1 || month > 12 || day < 1 || day > daysIn(year, month) {
		return 0, false
	}
	midnight := time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC).Unix()
	if len(p.rest) == 0 {
		return Micros(midnight) * Second, true
	}
	if !p.one("Tt ") {
		return 0, false
	}
	hour, minute, second := p.digits(2), p.after(':', 2), p.after(':', 2)
	micros := p.fraction()
	offset := p.offset()
	if p.failed || len(p.rest) > 0 || hour > 23 || minute > 59 || second > 59 {
		return 0, false
	}
	seconds := midnight + int64(hour*3600+minute*60+second-offset)
	return Micros(seconds)*Second + Micros(micros), true
}

func daysIn(year, month int) int {
	switch month {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}

// parser eats a timestamp from the left and remembers the first misfit.
type parser[Bytes ~[]byte | ~string] struct {
	rest   Bytes
	failed bool
}

// digits eats exactly n digits.
func (p *parser[Bytes]) digits(n int) int {
	if p.failed || len(p.rest) < n {
		p.failed = true
		return 0
	}
	value := 0
	for i := range n {
		c := p.rest[i]
		if c < '0' || c > '9' {
			p.failed = true
			return 0
		}
		value = value*10 + int(c-'0')
	}
	p.rest = p.rest[n:]
	return value
}

// after eats the separator and n digits.
func (p *parser[Bytes]) after(separator byte, n int) int {
	if p.failed || len(p.rest) == 0 || p.rest[0] != separator {
		p.failed = true
		return 0
	}
	p.rest = p.rest[1:]
	return p.digits(n)
}

// one eats one byte if it is among the given ones.
func (p *parser[Bytes]) one(of string) bool {
	if p.failed || len(p.rest) == 0 {
		return false
	}
	for i := range len(of) {
		if p.rest[0] == of[i] {
			p.rest = p.rest[1:]
			return true
		}
	}
	return false
}

// fraction eats an optional fraction of a second and returns its microseconds.
func (p *parser[Bytes]) fraction() int {
	if !p.one(".,") {
		return 0
	}
	micros, read := 0, 0
	for len(p.rest) > 0 && p.rest[0] >= '0' && p.rest[0] <= '9' {
		if read < 6 {
			micros = micros*10 + int(p.rest[0]-'0')
		}
		read++
		p.rest = p.rest[1:]
	}
	if read == 0 {
		p.failed = true
	}
	for ; read < 6; read++ {
		micros *= 10
	}
	return micros
}

// offset eats an optional UTC offset and returns it in seconds east.
func (p *parser[Bytes]) offset() int {
	if p.failed || len(p.rest) == 0 || p.one("Zz") {
		return 0
	}
	sign := 1
	if p.rest[0] == '-' {
		sign = -1
	}
	if !p.one("+-") {
		p.failed = true
		return 0
	}
	hours, minutes := p.digits(2), 0
	if len(p.rest) > 0 {
		p.one(":")
		minutes = p.digits(2)
	}
	if hours > 23 || minutes > 59 {
		p.failed = true
	}
	return sign * (hours*3600 + minutes*60)
}

package apisim

import (
	"slices"
	"time"
)

// Rows are generated in chunks of ten minutes. A chunk's times come from a
// generator of its own and a row's content from its number, so the result does
// not depend on how the time is cut into calls.
const chunk = 10 * time.Minute

// Shares of a day's hours and a week's days (from Sunday), in UTC; both average 1.
var (
	hourShare = normalised([]float64{
		1, 1, 1, 1, 2, 4, 9, 20, 32, 36, 36, 32, 26, 30, 36, 37, 34, 28, 18, 10, 7, 5, 3, 2,
	})
	weekdayShare = normalised([]float64{3, 13, 14, 14, 13.5, 11.5, 4})
)

func normalised(shares []float64) []float64 {
	sum := 0.0
	for _, share := range shares {
		sum += share
	}
	for i := range shares {
		shares[i] *= float64(len(shares)) / sum
	}
	return shares
}

// grow adds the stream's rows of (from, to]. The caller has the lock.
func (s *Sim) grow(stream Stream, from, to time.Time) {
	perDay := s.options.AlertsPerDay
	if stream == Violations {
		perDay = s.options.ViolationsPerDay
	}
	if perDay <= 0 || !to.After(from) {
		return
	}
	t := &s.tables[stream.index()]
	t.records = slices.Grow(t.records, int(float64(perDay)*to.Sub(from).Hours()/24*1.05))
	var batch []record
	first, last := from.UnixMicro(), to.UnixMicro()
	for at := from.Truncate(chunk); !at.After(to); at = at.Add(chunk) {
		batch = batch[:0]
		for _, micros := range s.times(stream, at, perDay) {
			if micros > first && micros <= last {
				batch = append(batch, s.newRecord(stream, t.next, micros))
				t.next++
			}
		}
		t.insert(batch)
	}
}

// times are the moments, in order, at which the chunk's rows happen. Some share
// a millisecond. Digits below it are drawn in any case, so that showing them
// changes nothing else.
func (s *Sim) times(stream Stream, at time.Time, perDay int) []int64 {
	d := newDice(s.options.Seed, purposeTimes+uint64(stream.index())<<8, uint64(at.Unix()))
	mean := float64(perDay) * float64(chunk) / float64(24*time.Hour) *
		hourShare[at.Hour()] * weekdayShare[at.Weekday()] * s.trend(at)
	s.moments = s.moments[:0]
	for range d.poisson(mean) {
		s.moments = append(s.moments, at.UnixMicro()+int64(d.intn(int(chunk/time.Microsecond))))
	}
	slices.Sort(s.moments)
	for i := range s.moments {
		if i > 0 && d.float() < 0.03 {
			s.moments[i] = floorTo(s.moments[i-1], 1000) + s.moments[i]%1000
		}
	}
	if s.semantics.Digits == MillisecondDigits {
		for i := range s.moments {
			s.moments[i] = floorTo(s.moments[i], 1000)
		}
	}
	slices.Sort(s.moments)
	return s.moments
}

// trend grows from 0.8 to 1.2 over the history and goes on at that pace.
func (s *Sim) trend(at time.Time) float64 {
	if s.options.Days <= 0 {
		return 1
	}
	past := float64(s.options.Days) * 24
	return min(2, max(0.8, 1.2+0.4*at.Sub(s.options.Now).Hours()/past))
}

// newRecord makes up the stream's row of the given number.
func (s *Sim) newRecord(stream Stream, seq uint32, micros int64) record {
	d := newDice(s.options.Seed, purposeRow+uint64(stream.index())<<8, uint64(seq))
	x := d.next()
	r := record{at: micros, seq: seq}
	r.policy, r.repo, r.user = s.world.policyOf.spin(x), s.world.repoOf.spin(x>>16), s.world.userOf.spin(x>>32)
	x = d.next()
	keys := s.world.keysOf[r.repo]
	r.key = keys[x%uint64(len(keys))]
	places := s.world.modelsOf[r.key]
	r.model = places[(x>>8)%uint64(len(places))]
	if x>>16&255 < 46 { // 18 %
		r.flags |= flagNoTalk
	}
	if x>>24&255 < 18 { // 7 %
		r.flags |= flagNoModel
	}
	if stream == Violations {
		r.flags |= severityAndBlock(x >> 32)
	}
	return r
}

// severityAndBlock gives one violation in ten no severity; the graver a
// violation is, the more often it is blocked.
func severityAndBlock(x uint64) uint8 {
	severity := [...]uint8{0, 1, 1, 1, 1, 2, 2, 2, 3, 3}[x%10]
	if x>>8%4 < uint64(severity) {
		return severity | flagBlock
	}
	return severity
}

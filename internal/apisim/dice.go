package apisim

import (
	"encoding/binary"
	"math"
	"math/rand/v2"

	"github.com/google/uuid"
)

// newDice is a generator for a row, a chunk or a request, made from what identifies it,
// so that nothing depends on order. The purposes keep those of one seed apart.
func newDice(seed, purpose, n uint64) *rand.Rand {
	return rand.New(rand.NewPCG(seed<<8|purpose, n)) //nolint:gosec // plausible is enough
}

const (
	purposeAlertTimes = iota
	purposeViolationTimes
	purposeRequest
	purposeFault
	purposeOrganisation
)

// poisson draws a count with the given mean; large means use the normal curve.
func poisson(d *rand.Rand, mean float64) int {
	if mean > 30 {
		return max(0, int(math.Round(mean+d.NormFloat64()*math.Sqrt(mean))))
	}
	limit, n := math.Exp(-mean), 0
	for p := d.Float64(); p > limit; p *= d.Float64() {
		n++
	}
	return n
}

// mix is splitmix64's finaliser: a bijection, so distinct inputs stay distinct.
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// The classes of identifiers.
const (
	classRow    uint64 = 0 // + stream index
	classCustom uint64 = 2 // + stream index
	classEntity uint64 = 4 // + kind of entity
	classTalk   uint64 = 16
)

// idOf numbers things of one class (a stream's rows, the users, ...) by identifiers that
// look like random UUIDs.
func idOf(seed, class, n uint64) string {
	var id uuid.UUID
	word := mix(class<<56 ^ n ^ mix(seed))
	binary.BigEndian.PutUint64(id[:], word)
	binary.BigEndian.PutUint64(id[8:], mix(word))
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80 // version 4
	return id.String()
}

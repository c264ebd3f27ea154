package apisim

import (
	"encoding/binary"
	"encoding/hex"
	"math"
)

// dice is a splitmix64 generator: a word of state, so one can be made for every
// row, chunk or request from what identifies it, and nothing depends on order. Stored
// data of earlier releases came from it, so the numbers must stay as they are.
type dice uint64

func newDice(seed, purpose, n uint64) dice {
	return dice(mix(mix(seed^purpose*0x9e3779b97f4a7c15) + n))
}

func (d *dice) next() uint64 {
	*d += 0x9e3779b97f4a7c15
	return mix(uint64(*d))
}

// intn is in [0, n); its bias is far below what a test could see.
func (d *dice) intn(n int) int { return int((d.next() >> 33) % uint64(n)) }

func (d *dice) float() float64 { return float64(d.next()>>11) / (1 << 53) }

// poisson draws a count with the given mean; large means use the normal curve.
func (d *dice) poisson(mean float64) int {
	if mean > 30 {
		u, v := 1-d.float(), d.float()
		normal := math.Sqrt(-2*math.Log(u)) * math.Cos(2*math.Pi*v)
		return max(0, int(math.Round(mean+normal*math.Sqrt(mean))))
	}
	limit, n := math.Exp(-mean), 0
	for p := d.float(); p > limit; p *= d.float() {
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

// The purposes keep the generators of one seed apart.
const (
	purposeRow = iota + 1
	purposeID
	purposeTimes
	purposeRequest
	purposeFault
	purposeOrganisation
)

// The classes of identifiers.
const (
	classRow    uint64 = 0 // + stream index
	classCustom uint64 = 2 // + stream index
	classEntity uint64 = 4 // + kind of entity
	classTalk   uint64 = 16
)

// idOf numbers things of one class (a stream's rows, the users, ...) by identifiers that
// look like random UUIDs. Sixty-four of their bits are a bijection of the number.
func idOf(seed, class, n uint64) string {
	word := mix(class<<56 ^ n ^ mix(seed+purposeID))
	filler := mix(word ^ 0xa5a5a5a5a5a5a5a5)
	var raw [16]byte
	binary.BigEndian.PutUint64(raw[:8], word>>16<<16|0x4000|filler&0xfff) // version 4
	binary.BigEndian.PutUint64(raw[8:], (8|filler>>62)<<60|filler>>12&0xfff<<48|word&0xffff<<32|filler>>24&0xffffffff)
	text := hex.EncodeToString(raw[:])
	return text[:8] + "-" + text[8:12] + "-" + text[12:16] + "-" + text[16:20] + "-" + text[20:]
}

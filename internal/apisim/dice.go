package apisim

import "math"

// dice is a splitmix64 generator: a word of state, so one can be made for every
// row, chunk or request from what identifies it, and nothing depends on order.
type dice uint64

func newDice(seed, purpose, n uint64) dice {
	return dice(mix(mix(seed^purpose*0x9e3779b97f4a7c15) + n))
}

func (d *dice) next() uint64 {
	*d += 0x9e3779b97f4a7c15
	return mix(uint64(*d))
}

// intn is in [0, n); its bias is far below what a test could see.
func (d *dice) intn(n int) int {
	return int((d.next() >> 33) % uint64(n))
}

func (d *dice) float() float64 { return float64(d.next()>>11) / (1 << 53) }

func (d *dice) chance(p float64) bool { return d.float() < p }

// exponential has a mean of 1.
func (d *dice) exponential() float64 { return -math.Log(1 - d.float()) }

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
	purposeConversation
)

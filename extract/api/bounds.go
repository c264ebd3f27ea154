package api

import (
	"net/url"

	"github.com/flashback-sync/flashback-sync/checkpoints/instant"
)

const (
	// MinBound and MaxBound limit what ISO 8601 writes with four digits of a year. A
	// bound below or above them is not sent.
	MinBound = instant.Micros(-62135596800e6)
	MaxBound = instant.Micros(253402300800e6)
)

// Bounds are the parameters from and to of one request.
type Bounds struct{ From, To instant.Micros }

func (b Bounds) set(v url.Values) {
	if b.From >= MinBound {
		v.Set("from", b.From.Format())
	}
	if b.To < MaxBound {
		v.Set("to", b.To.Format())
	}
}

package extract

import (
	"net/url"
	"strconv"

	"github.com/flashback-sync/flashback-sync/checkpoints/instant"
)

// bounds are the from and to of one question. Open means no upper bound.
type bounds struct {
	from, to instant.Micros
	open     bool
}

const (
	// forever is above every timestamp.
	forever = instant.Micros(1 << 62)
	// firstYear and lastYear bound what ISO 8601 writes with four digits; a bound
	// beyond them is left out.
	firstYear = instant.Micros(-62135596800e6)
	lastYear  = instant.Micros(253402300800e6)
)

// around are bounds that get every row of [low, high) from a source that honours
// bounds to the grain, whether it counts the bound itself in or out, and whether
// it cuts the bound down or compares in whole units. Days get more room, since a
// source that knows only dates may count them in its own time zone.
func around(low, high instant.Micros, open bool, grain instant.Micros) bounds {
	b := bounds{from: low.Floor(grain) - grain, to: forever, open: true}
	if !open && high < lastYear {
		b.to, b.open = (high + grain - 1).Floor(grain), false
	}
	if grain == instant.Day {
		b.from -= instant.Day
		if !b.open {
			b.to += instant.Day
		}
	}
	if b.to >= lastYear {
		b.to, b.open = forever, true
	}
	return b
}

func (b bounds) set(v url.Values) {
	if b.from >= firstYear {
		v.Set("from", b.from.Format())
	}
	if !b.open {
		v.Set("to", b.to.Format())
	}
}

func (q Query) parameters(b bounds, skip, take int) url.Values {
	v := url.Values{}
	b.set(v)
	q.filters(v)
	v.Set("take", strconv.Itoa(take))
	if skip > 0 {
		v.Set("skip", strconv.Itoa(skip))
	}
	return v
}

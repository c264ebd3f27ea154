package extract

import (
	"github.com/flashback-sync/flashback-sync/checkpoints/instant"
	"github.com/flashback-sync/flashback-sync/extract/api"
)

// forever is above every timestamp.
const forever = instant.Micros(1 << 62)

// everything are no bounds.
var everything = api.Bounds{From: api.MinBound - 1, To: forever, Open: true}

// around are bounds that get every row of [low, high) from a source that honours
// bounds to the resolution, whether it includes the bound itself or not, and whether
// it cuts the bound down or compares in whole units. Days get more room, since a
// source that knows only dates may count them in its own time zone.
func around(low, high instant.Micros, open bool, resolution instant.Micros) api.Bounds {
	b := api.Bounds{From: low.Floor(resolution) - resolution, To: forever, Open: true}
	if !open && high < api.MaxBound {
		b.To, b.Open = (high + resolution - 1).Floor(resolution), false
	}
	if resolution == instant.Day {
		b.From -= instant.Day
		if !b.Open {
			b.To += instant.Day
		}
	}
	if b.To >= api.MaxBound {
		b.To, b.Open = forever, true
	}
	return b
}

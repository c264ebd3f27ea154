package extract

import (
	"github.com/flashback-sync/flashback-sync/checkpoints/instant"
	"github.com/flashback-sync/flashback-sync/extract/api"
)

// forever is above every timestamp: no upper bound.
const forever = instant.Micros(1 << 62)

// around are bounds that get every row of [low, high) from a source that honours
// bounds to the resolution, whether it includes the bound itself or not, and whether
// it cuts the bound down or compares in whole units. Days get more room, since a
// source that knows only dates may count them in its own time zone.
func around(low, high, resolution instant.Micros) api.Bounds {
	b := api.Bounds{From: low.Floor(resolution) - resolution, To: (high + resolution - 1).Floor(resolution)}
	if resolution == instant.Day {
		b.From -= instant.Day
		b.To += instant.Day
	}
	return b
}

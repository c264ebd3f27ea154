package html

import (
	"time"

	"github.com/flashback-sync/flashback-sync/internal/audit"
	"github.com/flashback-sync/flashback-sync/internal/chart"
)

// tally is how often something was found.
type tally struct {
	Status audit.Status
	N      int64
}

// tallies lists counts, the worst first.
func tallies(c audit.Counts) (all []tally) {
	for _, s := range audit.BySeverity {
		all = append(all, tally{s, c.Of(s)})
	}
	return all
}

// stamp writes an instant; milliseconds only if there are any.
func stamp(t time.Time) string {
	if t.IsZero() {
		return "–"
	}
	return t.UTC().Format("2006-01-02 15:04:05.999Z")
}

func date(t time.Time) string { return t.UTC().Format(time.DateOnly) }

// class is the status as a name of the style sheet.
func class(s audit.Status) string {
	if s == audit.Match || s.Severity() > 0 {
		return string(s)
	}
	return "none"
}

// glyphs distinguish statuses without colour.
var glyphs = map[audit.Status]string{
	audit.Match: chart.Check, audit.Missing: chart.Triangle, audit.Differs: chart.Diamond, audit.Unproven: chart.Ring, audit.Extra: chart.Plus,
}

func glyph(s audit.Status) string {
	if d, ok := glyphs[s]; ok {
		return d
	}
	return chart.Dash
}

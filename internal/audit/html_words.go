package audit

import (
	"slices"
	"time"

	"github.com/flashback-sync/flashback-sync/internal/chart"
)

// bySeverity lists what a comparison can find, the worst first.
var bySeverity = []Status{Missing, Differs, Unproven, Extra}

// severity orders statuses; a match has none.
func severity(s Status) int {
	if i := slices.Index(bySeverity, s); i >= 0 {
		return len(bySeverity) - i
	}
	return 0
}

// Worse is the worse of two statuses; "" says less than a match.
func Worse(a, b Status) Status {
	if severity(b) > severity(a) || a == "" {
		return b
	}
	return a
}

// tally is how often something was found.
type tally struct {
	Status Status
	N      int64
}

// tallies lists counts, the worst first.
func tallies(c Counts) []tally {
	return []tally{{Missing, c.Missing}, {Differs, c.Differs}, {Unproven, c.Unproven}, {Extra, c.Extra}}
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
func class(s Status) string {
	if s == Match || severity(s) > 0 {
		return string(s)
	}
	return "none"
}

// glyphs distinguish statuses without colour.
var glyphs = map[Status]string{
	Match: chart.Check, Missing: chart.Triangle, Differs: chart.Diamond, Unproven: chart.Ring, Extra: chart.Plus,
}

func glyph(s Status) string {
	if d, ok := glyphs[s]; ok {
		return d
	}
	return chart.Dash
}

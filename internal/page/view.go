package page

import (
	"html/template"
	"strconv"
	"time"

	"github.com/flashback-sync/flashback-sync/internal/chart"
	"github.com/flashback-sync/flashback-sync/internal/journal"
	"github.com/flashback-sync/flashback-sync/internal/span"
	"github.com/flashback-sync/flashback-sync/internal/status"
)

// view is a status arranged for reading.
type view struct {
	*status.Status
	Options
	Verdict  verdict
	Problems []status.Problem
	Figures  []figure
	Running  *running
	Died     *died
	Cards    []card
	Overview *overview
	Runs     *runs
	Jobs     []job
}

func newView(s *status.Status, o Options) *view {
	v := &view{Status: s, Options: o, Problems: s.Problems()}
	if p := s.Progress; p.Alive(s.At) {
		v.Running = v.running(p)
	} else if p != nil {
		v.Died = v.died(p)
	}
	v.Verdict, v.Figures = v.verdict(), v.figures()
	if s.Holdings != nil {
		for i := range s.Holdings.Streams {
			v.Cards = append(v.Cards, v.card(&s.Holdings.Streams[i], i))
		}
		if s.Holdings.Overview != nil {
			v.Overview = v.overview(s.Holdings.Overview)
		}
	}
	v.Runs = v.runs()
	v.Jobs = v.jobs()
	return v
}

// Seconds between two loads of the page.
func (v *view) Seconds() string { return strconv.Itoa(max(1, int(v.Refresh.Seconds()))) }

// Often is the same in words.
func (v *view) Often() string { return span.Words(max(time.Second, v.Refresh)) }

// Icon is the tab's: a disc that tells the verdict.
func (v *view) Icon() template.URL {
	colour := map[string]string{"ok": "1f7a55", "bad": "b3261e", "warn": "b26a00", "note": "1f57a8"}[v.Verdict.Tone]
	return template.URL("data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='-8 -8 16 16'%3E%3Ccircle r='7' fill='%23" + colour + "'/%3E%3Cpath fill='%23fff' d='" + glyph(v.Verdict.Tone) + "'/%3E%3C/svg%3E") //nolint:gosec // all of it is ours
}

// glyph tells a level or a run's status without colour.
func glyph(tone string) string {
	switch tone {
	case "ok":
		return chart.Check
	case "bad", journal.Failed, journal.Crashed:
		return chart.Cross
	case "warn", journal.Partial:
		return chart.Triangle
	case "note":
		return chart.Disc
	case "running":
		return chart.Clock
	}
	return chart.Dash
}

// mark is a run's status if it is one that we know: no stranger's text becomes a
// class of the style sheet.
func mark(runStatus string) string {
	switch runStatus {
	case journal.OK, journal.Failed, journal.Crashed, journal.Partial:
		return runStatus
	}
	return "quiet"
}

// tone of a run's status.
func tone(runStatus string) string {
	switch runStatus {
	case journal.OK:
		return "ok"
	case journal.Partial:
		return "warn"
	case journal.Failed, journal.Crashed:
		return "bad"
	}
	return "quiet"
}

package page

import (
	"html/template"
	"strconv"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/flashback-sync/flashback-sync/internal/chart"
	"github.com/flashback-sync/flashback-sync/internal/journal"
	"github.com/flashback-sync/flashback-sync/internal/status"
)

// How often a live page reloads itself, in seconds: while nothing runs, and during a run.
const refreshIdle, refreshBusy = 60, 5

// view is a status arranged for reading.
type view struct {
	*status.Status
	Static   bool
	Refresh  int // seconds; 0 for a page that does not load itself again
	Verdict  verdict
	Problems []status.Problem
	Running  *journal.Progress
	Died     *journal.Progress
	Week     *week
}

func newView(s *status.Status, form Form) *view {
	v := &view{Status: s, Static: form == File, Problems: s.Problems()}
	if form == Live {
		v.Refresh = refreshIdle
	}
	if p := s.Progress; p.Alive(s.At) {
		v.Running = p
		v.Refresh = min(v.Refresh, refreshBusy)
	} else {
		v.Died = p
	}
	if s.Holdings != nil && s.Holdings.Week != nil {
		v.Week = newWeek(s.Holdings.Week)
	}
	v.Verdict = v.verdict()
	return v
}

// Opens is the week if the document begins with it: the report, which is also read by
// people who run nothing.
func (v *view) Opens() *week {
	if v.Static {
		return v.Week
	}
	return nil
}

// Icon is the browser tab's: a disc that shows the verdict.
func (v *view) Icon() template.URL {
	colour := map[string]string{"ok": "1f7a55", "bad": "b3261e", "warn": "b26a00", "note": "1f57a8"}[v.Verdict.Tone]
	return template.URL("data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='-8 -8 16 16'%3E%3Ccircle r='7' fill='%23" + colour + "'/%3E%3Cpath fill='%23fff' d='" + glyph(v.Verdict.Tone) + "'/%3E%3C/svg%3E") //nolint:gosec // all of it is ours
}

// share is how much of a stream is read, "" if the number of rows to come is unknown. More
// rows than announced may come while the run reads.
func share(s journal.StreamProgress) string {
	return percent(min(s.Rows, s.Expected), s.Expected)
}

// glyph shows a tone without colour.
func glyph(tone string) string {
	switch tone {
	case "ok":
		return chart.Check
	case "bad":
		return chart.Cross
	case "warn":
		return chart.Triangle
	case "note":
		return chart.Disc
	case "running":
		return chart.Clock
	}
	return chart.Dash
}

// tone of a run's status. No stranger's text becomes a class of the style sheet.
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

// iso writes an instant for machines.
func iso(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// capital begins a text with a capital, unless it begins with something quoted.
func capital(s string) string {
	if s != "" && 'a' <= s[0] && s[0] <= 'z' {
		return strings.ToUpper(s[:1]) + s[1:]
	}
	return s
}

// large writes a number that may be too long to be read, exactly below a billion.
func large(n int64) string {
	if n < 1e9 {
		return comma(n)
	}
	value, prefix := humanize.ComputeSI(float64(n))
	return humanize.FtoaWithDigits(value, 1) + " " + map[string]string{"G": "billion", "T": "trillion", "P": "quadrillion", "E": "quintillion"}[prefix]
}

// percent of a part, "" of nothing.
func percent(part, whole int64) string {
	if whole <= 0 {
		return ""
	}
	return strconv.FormatFloat(100*float64(part)/float64(whole), 'f', 1, 64) + "%"
}

// title is a name as a heading.
func title(name string) string {
	if name == "" {
		return "no name"
	}
	return capital(strings.ReplaceAll(name, "_", " "))
}

func comma(n int64) string { return humanize.Comma(n) }

func size(n int64) string { return humanize.IBytes(uint64(max(0, n))) }

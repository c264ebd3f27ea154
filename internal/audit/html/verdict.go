package html

import (
	"slices"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/dustin/go-humanize/english"

	"github.com/flashback-sync/flashback-sync/internal/audit"
	"github.com/flashback-sync/flashback-sync/internal/chart"
	"github.com/flashback-sync/flashback-sync/schema"
)

// verdict is the outcome in plain words.
type verdict struct {
	Words string
	Tone  audit.Status // match, missing (something is wrong), unproven, or extra (nothing can be repaired)
}

func verdictOf(r *audit.Report) verdict {
	rows, compared := rowWords(r)
	files := fileWords(r)
	all := slices.Concat(rows, files)
	sum := sum(r)
	switch {
	case len(r.Streams)+len(r.Files) == 0:
		return verdict{"Nothing was compared", audit.Unproven}
	case len(all) == 0 && r.Status == audit.Match:
		return verdict{healthy(r, compared), audit.Match}
	case len(all) == 0:
		return verdict{"Something differs", audit.Missing}
	case len(rows) == 0 && compared:
		return verdict{"Everything that the source counts is stored, but " + english.WordSeries(files, "and"), audit.Missing}
	case r.OnlyExtra():
		return verdict{"Nothing is missing, but " + english.WordSeries(rows, "and"), audit.Extra}
	case len(files) > 0 || sum.Missing+sum.Differs > 0:
		return verdict{english.WordSeries(all, "and"), audit.Missing}
	}
	return verdict{english.WordSeries(all, "and"), audit.Unproven}
}

// healthy says what a report in which nothing differs has shown.
func healthy(r *audit.Report, compared bool) string {
	switch {
	case !compared && len(r.Files) == 0:
		return "The source serves none of the streams"
	case !compared:
		return "Every published file is what it should be"
	case r.Withheld() > 0:
		return "Everything that the source counts is stored, but for " + english.Plural(int(r.Withheld()), "row", "") + " of those who were forgotten or are suppressed"
	case r.Full:
		return "Every row that the source has is stored"
	}
	return "Everything that the source counts is stored"
}

// scope says what was compared.
func scope(r *audit.Report) string {
	var rows, lists, series int64
	for _, s := range r.Streams {
		switch {
		case !s.Compared():
		case schema.IsSeries(s.Stream):
			series++
		default:
			lists++
			rows += s.Source
		}
	}
	var words []string
	if lists > 0 {
		words = say(words, rows, "row of the source", "rows of the source")
		if rows == 0 {
			words = say(words, lists, "stream without rows", "streams without rows")
		}
	}
	words = say(words, series, "statistics series", "statistics series")
	words = say(words, int64(len(r.Files)), "published file", "published files")
	if len(words) == 0 {
		return ""
	}
	return "Scope: " + english.WordSeries(words, "and") + "."
}

// sum adds up what was found in all streams.
func sum(r *audit.Report) (sum audit.Counts) {
	for _, s := range r.Streams {
		sum.Add(s.Counts)
	}
	return sum
}

// rowWords says what is wrong with the rows; compared is false if none of the
// streams was compared.
func rowWords(r *audit.Report) (words []string, compared bool) {
	silent := int64(0)
	for _, s := range r.Streams {
		compared = compared || s.Compared()
		if !s.Compared() && s.Status != audit.NotServed {
			silent++
		}
	}
	sum := sum(r)
	words = say(words, sum.Missing, "row is missing", "rows are missing")
	words = say(words, sum.Differs, "row differs", "rows differ")
	words = say(words, sum.Unproven, "row is counted by the source but not given", "rows are counted by the source but not given")
	words = say(words, sum.Extra, "row is stored that the source no longer has", "rows are stored that the source no longer has")
	return say(words, silent, "stream was not compared", "streams were not compared"), compared
}

// fileWords says what is wrong with the files.
func fileWords(r *audit.Report) (words []string) {
	n := map[audit.Status]int64{}
	for _, f := range r.Files {
		n[f.Status]++
	}
	words = say(words, n[audit.Missing], "file is missing", "files are missing")
	words = say(words, n[audit.Differs], "file differs", "files differ")
	return say(words, n[audit.Extra], "file is not in the manifest", "files are not in the manifest")
}

func say(words []string, n int64, one, many string) []string {
	switch n {
	case 0:
		return words
	case 1:
		return append(words, "1 "+one)
	}
	return append(words, humanize.Comma(n)+" "+many)
}

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

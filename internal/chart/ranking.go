package chart

import "html/template"

// Ranked is one line of a ranking. Values are those of the series.
type Ranked struct {
	Name   string
	Quiet  bool // the name is ours: "no name", "all others"
	Rest   bool // of all other names: no bar, since it is not one to compare with
	Values []int64
	Parts  []rect // the bar, which HTML adds
}

// Ranking compares names. It is a table: its bars repeat the numbers beside them
// and are hidden from those who do not see them.
type Ranking struct {
	Words
	What   string   // the head of the names
	Series []Series // what the bars stack
	Also   []string // heads of further numbers, which are no part of the bars
	Rows   []Ranked // values of the series, then of the further numbers
}

// HTML draws the ranking as a table with bars, whose parts are beside each other.
func (r *Ranking) HTML() (template.HTML, error) {
	most := int64(1)
	for _, row := range r.Rows {
		if !row.Rest {
			most = max(most, Sum(row.Values[:len(r.Series)]...))
		}
	}
	for i := range r.Rows {
		row, x := &r.Rows[i], 0.0
		row.Parts = nil
		for n, series := range r.Series {
			if row.Rest || row.Values[n] <= 0 {
				continue
			}
			width := max(leastWidth, 100*float64(row.Values[n])/float64(most))
			row.Parts = append(row.Parts, rect{Tone: series.Tone, X: x, Width: width, Height: 8})
			x += width
		}
	}
	return render("ranking", r)
}

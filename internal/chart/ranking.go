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

// HTML draws the ranking as a table with bars.
func (r *Ranking) HTML() (template.HTML, error) {
	r.addBars()
	return render("ranking", r)
}

func (r *Ranking) addBars() {
	most := int64(1)
	for _, row := range r.Rows {
		if !row.Rest {
			most = max(most, Sum(row.Values[:len(r.Series)]...))
		}
	}
	for i, row := range r.Rows {
		if !row.Rest {
			r.Rows[i].Parts = r.parts(row.Values, most)
		}
	}
}

// parts are beside each other.
func (r *Ranking) parts(values []int64, most int64) (all []rect) {
	x := 0.0
	for i, series := range r.Series {
		if values[i] <= 0 {
			continue
		}
		width := max(leastWidth, 100*float64(values[i])/float64(most))
		all = append(all, rect{Tone: series.Tone, X: x, Width: width, Height: 8})
		x += width
	}
	return all
}

package chart

import "github.com/dustin/go-humanize"

// Ranked is one line of a ranking. Values are those of the series.
type Ranked struct {
	Name   string
	Quiet  bool // the name is ours: "no name", "all others"
	Rest   bool // of all other names: no bar, since it is not one to compare with
	Values []int64
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

type ranking struct {
	*Ranking
	Lines []rankedLine
}

type rankedLine struct {
	Ranked
	Parts   []rect
	Numbers []string
}

func (r *Ranking) view() ranking {
	v := ranking{Ranking: r}
	most := int64(1)
	for _, row := range r.Rows {
		if !row.Rest {
			most = max(most, Sum(row.Values[:len(r.Series)]...))
		}
	}
	for _, row := range r.Rows {
		line := rankedLine{Ranked: row}
		for _, n := range row.Values {
			line.Numbers = append(line.Numbers, humanize.Comma(n))
		}
		if !row.Rest {
			line.Parts = r.parts(row.Values[:len(r.Series)], most)
		}
		v.Lines = append(v.Lines, line)
	}
	return v
}

// parts lie beside each other.
func (r *Ranking) parts(values []int64, most int64) (all []rect) {
	x := 0.0
	for i, n := range values {
		if n <= 0 {
			continue
		}
		width := max(leastWidth, 100*float64(n)/float64(most))
		all = append(all, rect{Tone: r.Series[i].Tone, X: number(x), Width: number(width)})
		x += width
	}
	return all
}

package extract

import "testing"

func TestCountAbove(t *testing.T) {
	next := &answer{rows: []row{{id: "b", at: 8, ok: true}, {id: "c", at: 7, ok: true}, {id: "d"}, {text: "x"}, {id: "e", at: 3, ok: true}}}
	next.to = 7
	for name, c := range map[string]struct {
		rows []row
		want int
	}{
		"given again":                 {next.rows, 0},
		"not given":                   {[]row{{id: "a", at: 9, ok: true}, {id: "f", at: 7, ok: true}}, 2},
		"below the bound":             {[]row{{id: "a", at: 6, ok: true}}, 0},
		"without a time":              {[]row{{id: "a"}, {text: "y"}}, 2},
		"one id, two times":           {[]row{{id: "b", at: 9, ok: true}, {id: "e", at: 9, ok: true}}, 2},
		"its text is another's id":    {[]row{{id: "x"}, {text: "b", at: 8, ok: true}}, 2},
		"twice in one page, not here": {[]row{{id: "a", at: 9, ok: true}, {id: "a", at: 9, ok: true}}, 2},
	} {
		if got := countAbove(c.rows, next); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}

package extract

import (
	"testing"

	"github.com/flashback-sync/flashback-sync/extract/api"
)

func TestCountAbove(t *testing.T) {
	next := &api.Answer{Rows: []api.Row{{ID: "b", At: 8, Dated: true}, {ID: "c", At: 7, Dated: true}, {ID: "d"}, {Text: "x"}, {ID: "e", At: 3, Dated: true}}}
	for name, c := range map[string]struct {
		rows []api.Row
		want int
	}{
		"given again":                 {next.Rows, 0},
		"not given":                   {[]api.Row{{ID: "a", At: 9, Dated: true}, {ID: "f", At: 7, Dated: true}}, 2},
		"below the bound":             {[]api.Row{{ID: "a", At: 6, Dated: true}}, 0},
		"without a time":              {[]api.Row{{ID: "a"}, {Text: "y"}}, 2},
		"one id, two times":           {[]api.Row{{ID: "b", At: 9, Dated: true}, {ID: "e", At: 9, Dated: true}}, 2},
		"its text is another's id":    {[]api.Row{{ID: "x"}, {Text: "b", At: 8, Dated: true}}, 2},
		"twice in one page, not here": {[]api.Row{{ID: "a", At: 9, Dated: true}, {ID: "a", At: 9, Dated: true}}, 2},
	} {
		if got := countAbove(c.rows, next, 7); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}

package extract

import (
	"slices"
	"testing"
)

// FuzzFlatPage holds the way of usual pages against the way of all pages: what it
// reads, that one reads too, and finds the same in it.
func FuzzFlatPage(f *testing.F) {
	for _, body := range []string{
		`{"success":true,"alerts":[{"id":"a","timestamp":"2024-01-15T10:30:00.000Z"},{"id":1}],"total":2,"skip":0,"take":50}` + "\n",
		`{"alerts":[],"total":0}`, `{"total":1,"alerts":[{"timestamp":"x","id":null,"id":"b","timestamp":"2024-01-15","id":"c"}]} `,
		`{"alerts":[{"id":"a"}],"alerts":[],"total":0,"total":1}`, `{"success":false,"alerts":[{"id":"a"}],"total":1}`,
		`{"alerts":[{"id":"a"},],"total":1}`, `{"alerts":[{"id":"a"}`, `{"alerts":[`, `{"alerts":`, `{"alerts":[{"id":"a"}]x"total":1}`, `{"alerts":[{"id":"a"}{"id":"b"}],"total":1}`,
		`{"alerts":[{"timesta\u006dp":"\u0032024-01-15"}],"total":0}`, "{\"alerts\":[{\"x\":\"\xff\"}],\"total\":1}", `{"alerts":[{"timestamp":"\u0032024-01-15"}],"total":12}`,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		fast := &answer{total: -1}
		if !fast.readFlat(body, Alerts) {
			return
		}
		general, err := parseAnyPage(body, Alerts)
		if err != nil {
			t.Fatalf("%q: %v", body, err)
		}
		if fast.total != general.total || !slices.EqualFunc(fast.rows, general.rows, sameRow) {
			t.Fatalf("%q: %+v, by all rules %+v", body, fast, general)
		}
	})
}

// sameRow also compares where in the body a record lies.
func sameRow(a, b row) bool {
	return a.id == b.id && a.at == b.at && a.ok == b.ok && &a.raw[0] == &b.raw[0] && len(a.raw) == len(b.raw) && cap(a.raw) == cap(b.raw)
}

// Pages as the API sends them must not fall back to the slow way unnoticed.
func TestUsualPagesAreFlat(t *testing.T) {
	for _, body := range fullPages(t, 20) {
		page := &answer{total: -1}
		if !page.readFlat(body, Alerts) || len(page.rows) != MaxTake {
			t.Errorf("%d rows of %s", len(page.rows), body)
		}
	}
}

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

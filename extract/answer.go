package extract

import (
	"slices"

	"github.com/flashback-sync/flashback-sync/checkpoints/instant"
	"github.com/flashback-sync/flashback-sync/extract/api"
)

// oldestFrom is the smallest timestamp of the page from the limit up.
func oldestFrom(a *api.Answer, limit instant.Micros) (oldest instant.Micros, ok bool) {
	for _, r := range a.Rows {
		if r.Dated && r.At >= limit && (!ok || r.At < oldest) {
			oldest, ok = r.At, true
		}
	}
	return oldest, ok
}

// beyond reports whether the page holds rows from the limit up. One alone may be
// a record that is dated wrongly.
func beyond(a *api.Answer, limit instant.Micros) bool {
	count := 0
	for _, r := range a.Rows {
		if r.Dated && r.At >= limit {
			count++
		}
	}
	return !a.Open && count >= 2
}

// loneBeyond reports whether the only dated row of the page is at the limit or above:
// the walk cannot go down from it.
func loneBeyond(a *api.Answer, limit instant.Micros) bool {
	oldest, dated := a.Oldest()
	return dated && oldest >= limit && !a.Open && !beyond(a, limit)
}

// passes reports whether the page goes on below the limit: then it has all rows
// above it. Both of the two last rows must be below, since one alone may be a record
// that is dated wrongly.
func passes(a *api.Answer, limit instant.Micros) bool {
	n := len(a.Rows)
	return n >= 2 && a.Rows[n-1].Dated && a.Rows[n-1].At < limit && a.Rows[n-2].Dated && a.Rows[n-2].At < limit
}

// light is the row without the record, which would keep its whole page in memory.
func light(r api.Row) api.Row {
	r.Raw = nil
	return r
}

// has reports whether the page has a row of this id and time.
func has(a *api.Answer, id string, at instant.Micros) bool {
	return slices.ContainsFunc(a.Rows, func(r api.Row) bool { return r.ID == id && r.At == at })
}

// follows reports whether the page overlaps the one before it in time, and gets
// further; only the last page of a list may end where it began.
func follows(a *api.Answer, before *api.Answer, full bool) bool {
	oldest, dated := a.Oldest()
	newest, _ := a.Newest()
	if before == nil {
		return dated || len(a.Rows) == 0
	}
	frontier, _ := before.Oldest()
	return dated && newest > frontier && (oldest < frontier || !full)
}

// ends reports whether the page that was requested with skip is the last of its list.
func ends(a *api.Answer, skip int, full bool) bool {
	if len(a.Rows) == 0 {
		return skip >= a.Total
	}
	return !full && skip+len(a.Rows) == a.Total
}

// overlap is how far to skip so that the next page begins with a row newer than
// the oldest of this one. If no such row is near the end it skips the whole page.
func overlap(a *api.Answer) int {
	oldest, _ := a.Oldest()
	for i, r := range slices.Backward(a.Rows) {
		if r.Dated && r.At > oldest && 2*i >= len(a.Rows) {
			return i
		}
	}
	return len(a.Rows)
}

func sameRows(a, b []api.Row) bool {
	return len(a) > 0 && slices.EqualFunc(a, b, func(x, y api.Row) bool { return x.Identity() == y.Identity() })
}

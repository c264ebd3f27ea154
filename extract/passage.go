package extract

import (
	"slices"

	"github.com/flashback-sync/flashback-sync/checkpoints/instant"
)

// passage is what paging by skip has gathered.
type passage struct {
	rows     []row // each distinct record once
	copies   map[identity]int
	ever     map[identity]struct{}     // also those that count no more
	times    map[string]instant.Micros // by id: when it was last seen to be dated
	held     int                       // distinct records, and the copies that one answer held of one
	total    int                       // by the last answer
	complete bool
}

func newPassage() *passage {
	return &passage{copies: map[identity]int{}, ever: map[identity]struct{}{}, times: map[string]instant.Micros{}, total: -1}
}

func (p *passage) reset() {
	clear(p.copies)
	clear(p.times)
	p.rows, p.held = nil, 0
}

// count notes a page's total and reports whether the range kept still: neither
// its total changed nor the time of a record. If it did not, what was gathered
// may hold rows that are gone, and must not count any more. A row deleted and
// another one added between two pages leaves the total as it is; that is found by
// the overlap of the pages, or by one more pass, unless the source also shuffles
// the rows of that very instant.
func (p *passage) count(page *answer) (steady bool) {
	steady = p.total < 0 || p.total == page.total
	for _, r := range page.rows {
		if at, known := p.times[r.id]; known && at != r.at && !page.holds(r.id, at) {
			steady = false
		}
	}
	if !steady {
		p.reset()
	}
	p.total = page.total
	return steady
}

func (a *answer) holds(id string, at instant.Micros) bool {
	return slices.ContainsFunc(a.rows, func(r row) bool { return r.id == id && r.at == at })
}

// add counts a page and reports whether it held anything new.
func (p *passage) add(page *answer) bool {
	before := p.held
	inPage := make(map[identity]int, len(page.rows))
	for _, r := range page.rows {
		who := r.identity()
		inPage[who]++
		p.ever[who] = struct{}{}
		if p.copies[who] == 0 {
			p.rows = append(p.rows, r.light())
		}
		if r.id != "" {
			p.times[r.id] = r.at
		}
		if inPage[who] > p.copies[who] {
			p.copies[who]++
			p.held++
		}
	}
	return p.held > before
}

// missing is what the total counts beyond the records; at least one, since it is
// asked for where something could not be proven.
func (p *passage) missing() int { return max(1, p.total-p.held) }

// follows reports whether the page overlaps the one before it in time, and gets
// further; only the last page of a list may end where it began.
func (a *answer) follows(before *answer, full bool) bool {
	oldest, dated := a.oldest()
	newest, _ := a.newest()
	if before == nil {
		return dated || len(a.rows) == 0
	}
	frontier, _ := before.oldest()
	return dated && newest > frontier && (oldest < frontier || !full)
}

// ends reports whether the page that was asked with skip is the last of its list.
func (a *answer) ends(skip int, full bool) bool {
	if len(a.rows) == 0 {
		return skip >= a.total
	}
	return !full && skip+len(a.rows) == a.total
}

// overlap is how far to skip so that the next page begins with a row newer than
// the oldest of this one. Where that is not at hand it skips the whole page.
func (a *answer) overlap() int {
	oldest, _ := a.oldest()
	for i, r := range slices.Backward(a.rows) {
		if r.ok && r.at > oldest && 2*i >= len(a.rows) {
			return i
		}
	}
	return len(a.rows)
}

func sameRows(a, b []row) bool {
	return len(a) > 0 && slices.EqualFunc(a, b, func(x, y row) bool { return x.identity() == y.identity() })
}

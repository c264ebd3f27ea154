package extract

import (
	"github.com/flashback-sync/flashback-sync/checkpoints/instant"
	"github.com/flashback-sync/flashback-sync/extract/api"
)

// passage is what paging by skip has collected.
type passage struct {
	rows     []api.Row // each distinct record once
	copies   map[api.Identity]int
	ever     map[api.Identity]struct{} // also those that count no more
	times    map[string]instant.Micros // by id: when it was last seen to be dated
	count    int                       // distinct records, and the copies of one in a single answer
	total    int                       // by the last answer
	complete bool
}

func newPassage() *passage {
	return &passage{copies: map[api.Identity]int{}, ever: map[api.Identity]struct{}{}, times: map[string]instant.Micros{}, total: -1}
}

func (p *passage) reset() {
	clear(p.copies)
	clear(p.times)
	p.rows, p.count = nil, 0
}

// steady notes a page's total and reports whether the range did not change: neither
// its total nor the time of a record. If it changed, what was collected may contain
// rows that are gone, and must not count any more. A row deleted and
// another one added between two pages leaves the total as it is; that is found by
// the overlap of the pages, or by one more pass, unless the source also shuffles
// the rows of that very instant.
func (p *passage) steady(page *api.Answer) (steady bool) {
	steady = p.total < 0 || p.total == page.Total
	for _, r := range page.Rows {
		if at, known := p.times[r.ID]; known && at != r.At && !has(page, r.ID, at) {
			steady = false
		}
	}
	if !steady {
		p.reset()
	}
	p.total = page.Total
	return steady
}

// add counts a page and reports whether it had anything new.
func (p *passage) add(page *api.Answer) bool {
	before := p.count
	inPage := make(map[api.Identity]int, len(page.Rows))
	for _, r := range page.Rows {
		who := r.Identity()
		inPage[who]++
		p.ever[who] = struct{}{}
		if p.copies[who] == 0 {
			p.rows = append(p.rows, light(r))
		}
		if r.ID != "" {
			p.times[r.ID] = r.At
		}
		if inPage[who] > p.copies[who] {
			p.copies[who]++
			p.count++
		}
	}
	return p.count > before
}

// missing is what the total counts beyond the records; at least one, since it is
// called where something could not be proven.
func (p *passage) missing() int { return max(1, p.total-p.count) }

package extract

import (
	"context"
	"sync"
	"time"

	"github.com/flashback-sync/flashback-sync/checkpoints"
	"github.com/flashback-sync/flashback-sync/checkpoints/instant"
	"github.com/flashback-sync/flashback-sync/extract/api"
)

// client is what is needed of the API's client.
type client interface {
	// List requests one page of a list.
	List(ctx context.Context, q api.Query, b api.Bounds, skip, take int) (*api.Answer, error)
	// Concurrency is how many requests may be under way at once.
	Concurrency() int
	// Warn passes on what a person should know.
	Warn(message string)
}

// Reader reads lists through time. It remembers to which resolution the source
// honours bounds. It is safe for concurrent use.
type Reader struct {
	client client
	mu     sync.Mutex
	// By endpoint, since one may be implemented differently from the others.
	known map[string]instant.Micros // the resolution
	seen  map[string][]api.Row      // of the last glimpse: rows that exist, to find it out with
}

// NewReader returns a reader. It sends nothing.
func NewReader(c client) *Reader {
	return &Reader{client: c, known: map[string]instant.Micros{}, seen: map[string][]api.Row{}}
}

// Glimpse is what a single request shows of a list.
type Glimpse struct {
	Now    time.Time // the source's clock, or ours where it sends none
	Newest time.Time // of the rows; zero if none is dated
	Total  int       // rows that the query matches
}

// Peek requests the newest row only, of those since from.
func (r *Reader) Peek(ctx context.Context, q api.Query, from time.Time) (Glimpse, error) {
	page, err := r.client.List(ctx, q, api.Bounds{From: instant.Of(from), To: forever}, 0, 1)
	if err != nil {
		return Glimpse{}, err
	}
	r.mu.Lock()
	r.seen[q.Template()] = page.Rows
	r.mu.Unlock()
	seen := Glimpse{Now: page.Now, Total: page.Total}
	if newest, dated := page.Newest(); dated {
		seen.Newest = newest.Time()
	}
	return seen, nil
}

// Probe requests one row that should be at an instant. If it is there the resolution
// is known, too, and no walk needs to find it out. Of a Glimpse it gives the clock
// only. An instant that cannot show the resolution is not requested.
func (r *Reader) Probe(ctx context.Context, q api.Query, at time.Time) (seen Glimpse, requested bool, err error) {
	row := api.Row{At: instant.Of(at), Dated: true}
	if len(probes([]api.Row{row}, instant.Millisecond)) == 0 {
		return seen, false, nil
	}
	found, page, err := r.findsRow(ctx, q, row.At, instant.Millisecond)
	if err != nil {
		return seen, true, err
	}
	if found {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.learn(q, instant.Millisecond)
	}
	return Glimpse{Now: page.Now}, true, nil
}

// Count returns how many rows the query matches in an interval, without reading
// them. Whether bounds include their own instant is not known, so rows within one
// unit of the resolution of either end may be counted or not. None within the
// interval is left out.
func (r *Reader) Count(ctx context.Context, q api.Query, i checkpoints.Interval) (int, error) {
	resolution, err := r.Resolution(ctx, q)
	if err != nil {
		return 0, err
	}
	b := around(instant.Of(i.From), instant.Of(i.To), instant.Micros(resolution/time.Microsecond))
	page, err := r.client.List(ctx, q, b, 0, 1)
	if err != nil {
		return 0, err
	}
	return page.Total, nil
}

package api

import (
	"context"
	"time"

	"github.com/flashback-sync/flashback-sync/checkpoints/instant"
)

// Row is one record of a list, with what is needed to page by it.
type Row struct {
	ID    string // the id as it is written in the JSON; "" if there is none
	Text  string // the record, if it has no id
	At    instant.Micros
	Dated bool // whether At could be read
	Raw   []byte
}

// Answer is one page of a list as the API sent it, newest row first.
type Answer struct {
	Bounds
	Rows  []Row
	Total int       // rows that the query matches
	Now   time.Time // the source's clock, or ours where it sends none
}

// List requests one page of a list.
func (c *Client) List(ctx context.Context, q Query, b Bounds, skip, take int) (*Answer, error) {
	var page *Answer
	now, err := c.get(ctx, &call{endpoint: q.Endpoint, policy: q.PolicyPath, shown: q.Policy(), query: q.parameters(b, skip, take), accept: func(body []byte) (err error) {
		page, err = parsePage(body, q.List())
		return err
	}})
	if err != nil {
		return nil, err
	}
	page.Bounds, page.Now = b, now
	return page, nil
}

// Oldest is the smallest timestamp of the page; ok is false if it has none. The
// order of the rows is not relied on.
func (a *Answer) Oldest() (oldest instant.Micros, ok bool) {
	for _, r := range a.Rows {
		if r.Dated && (!ok || r.At < oldest) {
			oldest, ok = r.At, true
		}
	}
	return oldest, ok
}

// Newest is the largest timestamp of the page; ok is false if it has none.
func (a *Answer) Newest() (newest instant.Micros, ok bool) {
	for _, r := range a.Rows {
		if r.Dated && (!ok || r.At > newest) {
			newest, ok = r.At, true
		}
	}
	return newest, ok
}

// Identity distinguishes records: by id and time, without an id by text.
// Two rows of different times may have one id, and count as two.
type Identity struct {
	id, text string
	at       instant.Micros
}

// Identity is the record's.
func (r Row) Identity() Identity {
	if r.ID == "" {
		return Identity{text: r.Text}
	}
	return Identity{id: r.ID, at: r.At}
}

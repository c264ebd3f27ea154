package page

import (
	"github.com/flashback-sync/flashback-sync/internal/journal"
	"github.com/flashback-sync/flashback-sync/internal/span"
)

// running is a run under way.
type running struct {
	Name    string
	Began   *moment
	Elapsed string
	Message string
	Streams []underway
}

type underway struct {
	journal.StreamProgress
	Title string
	Share string // "" if nobody knows how many rows are to come
}

func (v *view) running(p *journal.Progress) *running {
	r := &running{
		Name: named(&journal.Run{Job: p.Job, Command: p.Command}), Began: v.moment(p.StartedAt),
		Elapsed: span.Words(max(0, v.At.Sub(p.StartedAt))), Message: p.Message,
	}
	for _, s := range p.Streams {
		u := underway{StreamProgress: s, Title: title(s.Stream)}
		if s.Expected > 0 {
			// More rows than announced may come while the run reads.
			u.Share = percent(min(s.Rows, s.Expected), s.Expected)
		}
		r.Streams = append(r.Streams, u)
	}
	return r
}

// died is a run that is not heard of any more.
type died struct {
	Name        string
	Began, Last *moment
	PID         int
	Message     string
}

func (v *view) died(p *journal.Progress) *died {
	return &died{
		Name: named(&journal.Run{Job: p.Job, Command: p.Command}), Began: v.moment(p.StartedAt),
		Last: v.moment(p.UpdatedAt), PID: p.PID, Message: p.Message,
	}
}

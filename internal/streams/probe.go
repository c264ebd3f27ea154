package streams

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/flashback-sync/flashback-sync/extract/api"
)

// Probe is what the smallest requests show of a stream.
type Probe struct {
	Stream string
	Answer string // "ok", or why there is none
	Err    error
	Start  time.Time // of the history that a first run reads; zero if it would read none
	// Rows of a list that a first run receives, and the requests that it takes.
	Rows, Requests int
	Lookback       time.Duration // of a list: every run reads it again
}

// Probed tries every stream; after a token that is refused, or a source that cannot be
// reached, the others would fail in the same way and are not tried. skew is how far our
// clock is ahead of the source's, 0 if nothing was received.
func Probed(ctx context.Context, lists []List, stats *Stats, from source) (all []Probe, skew time.Duration) {
	hopeless := false
	try := func(name string, request func(*Probe) error) {
		p := Probe{Stream: name, Answer: "not tried"}
		if !hopeless {
			if p.Err = request(&p); p.Err != nil {
				p = Probe{Stream: name, Answer: "failed", Err: fmt.Errorf("%s: %w", name, p.Err)}
			}
			kind := api.KindOf(p.Err)
			hopeless = kind == api.Unauthorized || kind == api.Unreachable
		}
		all = append(all, p)
	}
	for _, list := range lists {
		try(list.Name(), func(p *Probe) error { return p.list(ctx, list, from, &skew) })
	}
	if stats != nil {
		try(stats.Stream.Name, func(p *Probe) error { return p.stats(ctx, *stats, from) })
	}
	return all, skew
}

func (p *Probe) list(ctx context.Context, list List, from source, skew *time.Duration) error {
	var unknown []error
	queries := list.Queries(nil)
	for _, query := range queries {
		seen, err := from.Peek(ctx, query, list.Start)
		if api.KindOf(err) == api.NotFound {
			if query.PolicyPath != "" {
				err = fmt.Errorf("policy %s: %w", query.PolicyPath, err)
			}
			unknown = append(unknown, err)
			continue
		}
		if err != nil {
			return err
		}
		*skew = time.Since(seen.Now)
		p.Rows += seen.Total
		p.Requests += (seen.Total + api.MaxTake - 1) / api.MaxTake
	}
	if list.Optional && len(unknown) == len(queries) {
		p.Answer = "not served here (optional)"
		return nil
	}
	p.Answer, p.Start, p.Lookback = "ok", list.Start, list.Lookback
	return errors.Join(unknown...)
}

func (p *Probe) stats(ctx context.Context, stats Stats, from source) error {
	var refused error
	p.Answer, p.Start = "not tried: a sync finds the repositories", stats.Start
	for _, query := range stats.Named() {
		p.Answer = "ok"
		_, err := from.Stats(ctx, query)
		switch kind := api.KindOf(err); {
		case kind == api.NotFound || kind == api.Refused:
			refused = errors.Join(refused, fmt.Errorf("%s: %w", strings.TrimSpace(query.Scope+" "+query.ID), err))
		case err != nil:
			return err
		}
	}
	return refused
}

package api

import (
	"fmt"
	"sync"
	"time"
)

const (
	// A retry takes a token of an endpoint's budget and a success gives a fifth
	// back, so that a source of which less than every seventh request fails never
	// runs out, and one that fails more is not kept busy indefinitely.
	budgetTokens = 100
	budgetReturn = 0.2
)

// budget is what an endpoint's retries may cost: tokens, and time without success.
type budget struct {
	patience time.Duration
	mu       sync.Mutex
	spent    float64
	failing  time.Time // the first failure since the last success; zero if there is none
	success  time.Time // the last success
	shut     time.Time // until when the source wants no requests, if that is too long to wait
}

func (c *Client) budget(endpoint string) *budget {
	known, _ := c.budgets.LoadOrStore(endpoint, &budget{patience: c.options.Patience})
	return known.(*budget)
}

// succeeded gives some of the budget back.
func (b *budget) succeeded() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.success, b.failing, b.spent = time.Now(), time.Time{}, max(0, b.spent-budgetReturn)
}

// serves reports whether a request has succeeded in the last minute.
func (b *budget) serves() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return time.Since(b.success) < time.Minute
}

// failed notes a failure, and takes a token if it is to cost one. It returns why
// there must be no other attempt, of which none may come before wait is over.
func (b *budget) failed(wait time.Duration, costs bool) (why string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	if b.failing.IsZero() {
		b.failing = now
	}
	left := b.patience - now.Sub(b.failing)
	switch {
	case wait > 0 && wait > left:
		b.shut = now.Add(wait)
		return fmt.Sprintf("Retry-After wants a wait of %s, which is too long", rounded(wait))
	case left <= 0:
		return fmt.Sprintf("given up, since no request has succeeded for %s", rounded(b.patience))
	case costs && b.spent+1 > budgetTokens:
		return "given up, since too many requests fail: the budget for retries is used up"
	case costs:
		b.spent++
	}
	return ""
}

// closed is how long the source wants no requests to this endpoint, if that is more
// than the run waits.
func (b *budget) closed() time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	return time.Until(b.shut)
}

// rounded is a duration as a person reads it.
func rounded(d time.Duration) string {
	if d >= time.Second {
		d = d.Round(time.Second)
	}
	return d.String()
}

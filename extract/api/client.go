package api

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
)

// Token returns the bearer token. It is called once, and again after the source has
// refused the token.
type Token func(ctx context.Context) (string, error)

// Options configure a Client. BaseURL and Token are required.
type Options struct {
	BaseURL           string
	Token             Token
	UserAgent         string
	MaxConcurrency    int           // requests under way at once, at most; at least 1
	RequestsPerSecond float64       // 0: no limit of our own
	Timeout           time.Duration // for one attempt, body included; 0: 30 s
	Idle              time.Duration // for the next bytes of a body; 0: 10 s or Timeout
	Retries           int           // further attempts after a temporary failure
	Backoff           time.Duration // first pause, 0: 1 s; it doubles, with full jitter
	Patience          time.Duration // how long an endpoint may fail without a success; 0: 15 min
	Now               func() time.Time
	Warn              func(message string) // receives what a person should know; may be nil
	// ShowAnswer is given the beginning of every answer that cannot be used, which may
	// be personal data: it is only for the person who wanted to see it. May be nil.
	ShowAnswer func(text string)
	// Observe is given every request once it is over, by several goroutines; it
	// must return at once. May be nil.
	Observe func(Attempt)
}

// Client sends requests to one origin. It is safe for concurrent use.
type Client struct {
	options  Options
	base     *url.URL
	http     *http.Client
	limiter  *limiter
	tokens   tokens
	budgets  sync.Map // of endpoints: one that fails must not use up what another needs
	requests atomic.Int64
	retries  atomic.Int64
	waited   atomic.Int64 // nanoseconds
	date     atomic.Int64 // the source's, of its last answer, in Unix seconds; 0 if it gave none
}

// parse reads a body. What it refuses counts as a broken answer and is requested
// again, since proxies and overloaded servers produce such.
type parse func(body []byte) error

// New checks the options and returns a client. It sends nothing.
func New(options Options) (*Client, error) {
	base, err := url.Parse(options.BaseURL)
	if err != nil || base.Host == "" || (base.Scheme != "http" && base.Scheme != "https") || base.User != nil {
		return nil, errors.New("the base URL is not an http(s) URL without credentials")
	}
	options.fill()
	limit := rate.Inf
	if options.RequestsPerSecond > 0 {
		limit = rate.Limit(options.RequestsPerSecond)
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = options.MaxConcurrency
	transport.MaxConnsPerHost = options.MaxConcurrency
	// A connection that went dead must not take the next requests with it.
	transport.HTTP2 = &http.HTTP2Config{SendPingTimeout: options.Idle, PingTimeout: options.Idle}
	return &Client{
		options: options,
		base:    base,
		http:    &http.Client{Transport: transport},
		limiter: newLimiter(options.MaxConcurrency, limit),
		tokens:  tokens{source: options.Token, spent: map[string]bool{}},
	}, nil
}

// fill puts the defaults in.
func (o *Options) fill() {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Warn == nil {
		o.Warn = func(string) {}
	}
	if o.Observe == nil {
		o.Observe = func(Attempt) {}
	}
	o.Backoff = cmp.Or(o.Backoff, time.Second)
	o.Timeout = cmp.Or(o.Timeout, 30*time.Second)
	o.Patience = cmp.Or(o.Patience, 15*time.Minute)
	o.Idle = min(cmp.Or(o.Idle, 10*time.Second), o.Timeout)
	o.MaxConcurrency = max(o.MaxConcurrency, 1)
}

// Warn passes on what a person should know.
func (c *Client) Warn(message string) { c.options.Warn(message) }

// Close drops the idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Requests is the number of requests sent so far, retries included.
func (c *Client) Requests() int64 { return c.requests.Load() }

// Retries is the number of requests so far that repeated one that had failed.
func (c *Client) Retries() int64 { return c.retries.Load() }

// Waited is how long requests have waited between their tries, summed up.
func (c *Client) Waited() time.Duration { return time.Duration(c.waited.Load()) }

// Concurrency is the number of requests that may be under way at once, at most.
func (c *Client) Concurrency() int { return c.options.MaxConcurrency }

// Time is the source's clock by the last answer that gave it; zero if none has. Unlike the
// time of an answer it is never our own.
func (c *Client) Time() time.Time {
	if date := c.date.Load(); date != 0 {
		return time.Unix(date, 0).UTC()
	}
	return time.Time{}
}

// clock is the source's time in an answer, or our own where it sends none.
func (c *Client) clock(header http.Header) time.Time {
	date, err := http.ParseTime(header.Get("Date"))
	if err != nil {
		return c.options.Now().UTC()
	}
	c.date.Store(date.Unix())
	return date.UTC()
}

// call is one request: where, what, and how its answer is read.
type call struct {
	endpoint string // below the base URL
	policy   string // to what of the endpoint it is confined; "" if to none
	shown    string // the policy as errors name it
	query    url.Values
	accept   parse
	failures int // so far
	sent     int // requests so far
}

func (c *call) path() string { return pathOf(c.endpoint, c.shown) }

// attempt sends the request once; a refused token is renewed and tried once more.
func (c *Client) attempt(ctx context.Context, call *call) (now time.Time, err error) {
	token, err := c.tokens.get(ctx, "")
	if err != nil {
		return now, &Error{Kind: Unauthorized, Message: "no token to send", Err: err}
	}
	now, err = c.send(ctx, call, token)
	if KindOf(err) != Unauthorized {
		return now, err
	}
	fresh, tokenErr := c.tokens.get(ctx, token)
	if tokenErr != nil || fresh == token {
		return now, err
	}
	return c.send(ctx, call, fresh)
}

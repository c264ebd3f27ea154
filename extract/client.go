package extract

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"
	"unicode"

	"github.com/failsafe-go/failsafe-go"
	"golang.org/x/time/rate"

	"github.com/flashback-sync/flashback-sync/internal/instant"
)

// maxBody bounds an answer after inflation. A page of 100 rows is about 60 KB;
// the bound leaves room for records with megabytes of text.
const maxBody = 64 << 20

// Token returns the bearer token. After the source has refused a token it is
// called again with refresh set.
type Token func(ctx context.Context, refresh bool) (string, error)

// Options configure a Client. BaseURL and Token are required.
type Options struct {
	BaseURL           string
	Token             Token
	UserAgent         string
	MaxConcurrency    int           // requests under way at once; at least 1
	RequestsPerSecond float64       // 0: no limit of our own
	Timeout           time.Duration // for one attempt, body included
	Retries           int           // further attempts after a temporary failure
	Backoff           time.Duration // first pause; it doubles, with full jitter
	Now               func() time.Time
	Warn              func(message string) // told what a person should know; may be nil
}

// Client asks one origin. It is safe for concurrent use.
type Client struct {
	options  Options
	base     *url.URL
	http     *http.Client
	limiter  *rate.Limiter
	slots    chan struct{}
	tokens   tokens
	quiet    quiet
	retry    failsafe.Executor[*response]
	grains   grains
	requests atomic.Int64
}

// response is a complete answer with status 200.
type response struct {
	body []byte
	date time.Time // the source's clock; zero if it sent none
}

// parse reads a body. What it refuses counts as a broken answer and is asked
// for again, since proxies and overloaded servers produce such.
type parse func(body []byte) error

// NewClient checks the options and returns a client. It sends nothing.
func NewClient(options Options) (*Client, error) {
	base, err := url.Parse(options.BaseURL)
	if err != nil || base.Host == "" || (base.Scheme != "http" && base.Scheme != "https") || base.User != nil {
		return nil, errors.New("the base URL is not an http(s) URL without credentials")
	}
	if options.Now == nil {
		options.Now = time.Now
	}
	if options.Warn == nil {
		options.Warn = func(string) {}
	}
	if options.Backoff <= 0 {
		options.Backoff = time.Second
	}
	if options.Timeout <= 0 {
		options.Timeout = 30 * time.Second
	}
	options.MaxConcurrency = max(options.MaxConcurrency, 1)
	limit := rate.Inf
	if options.RequestsPerSecond > 0 {
		limit = rate.Limit(options.RequestsPerSecond)
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = options.MaxConcurrency
	transport.MaxConnsPerHost = options.MaxConcurrency
	client := &Client{
		options: options,
		base:    base,
		http: &http.Client{
			Transport: transport,
			// A redirect would carry the token elsewhere: none is followed.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		limiter: rate.NewLimiter(limit, 1),
		slots:   make(chan struct{}, options.MaxConcurrency),
		tokens:  tokens{source: options.Token},
		grains:  grains{known: map[endpoint]instant.Micros{}, seen: map[endpoint][]row{}},
	}
	client.retry = failsafe.With(client.retryPolicy())
	return client, nil
}

// Close drops the idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Requests is the number of requests sent so far, retries included.
func (c *Client) Requests() int64 { return c.requests.Load() }

// Concurrency is the number of requests that may be under way at once.
func (c *Client) Concurrency() int { return c.options.MaxConcurrency }

// clock is the source's time in an answer, or our own where it sends none.
func (c *Client) clock(answer *response) time.Time {
	if answer.date.IsZero() {
		return c.options.Now().UTC()
	}
	return answer.date
}

// get asks for a path below the base URL, retrying temporary failures. Path
// segments are escaped here, so that no id can leave its place.
func (c *Client) get(ctx context.Context, segments []string, query url.Values, accept parse) (*response, error) {
	select {
	case c.slots <- struct{}{}:
		defer func() { <-c.slots }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	answer, err := c.retry.WithContext(ctx).Get(func() (*response, error) {
		answer, err := c.attempt(ctx, call{segments, query, accept})
		if failure := new(Error); errors.As(err, &failure) && failure.wait > 0 {
			c.quiet.until(failure.wait)
		}
		return answer, err
	})
	return answer, lastError(ctx, err)
}

// call is one question: where, what, and how its answer is read.
type call struct {
	segments []string
	query    url.Values
	accept   parse
}

// attempt sends the request once; a refused token is renewed and tried once more.
func (c *Client) attempt(ctx context.Context, call call) (*response, error) {
	token, err := c.tokens.get(ctx, "")
	if err != nil {
		return nil, c.tokenError(ctx, call, err)
	}
	if token == "" || strings.ContainsFunc(token, unicode.IsControl) {
		return nil, c.tokenError(ctx, call, errors.New("the token is empty or has control characters in it"))
	}
	answer, err := c.send(ctx, call, token)
	if kind, ok := KindOf(err); !ok || kind != Unauthorized {
		return answer, err
	}
	fresh, tokenErr := c.tokens.get(ctx, token)
	if tokenErr != nil || fresh == token {
		return nil, err
	}
	return c.send(ctx, call, fresh)
}

func (c *Client) tokenError(ctx context.Context, call call, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return &Error{Kind: Unauthorized, Path: display(call.segments), Message: "no token to send", Err: err}
}

func (c *Client) send(ctx context.Context, call call, token string) (*response, error) {
	if err := cmp.Or(c.quiet.wait(ctx), c.limiter.Wait(ctx)); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, c.options.Timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.address(call.segments, call.query), nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept", "application/json")
	request.Header.Set("Authorization", "Bearer "+token)
	request.Header.Set("User-Agent", c.options.UserAgent)
	c.requests.Add(1)
	answer, err := c.http.Do(request)
	if err != nil {
		return nil, transportError(call.segments, err)
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := read(answer)
	if err != nil {
		return nil, bodyError(call.segments, answer.StatusCode, err)
	}
	date, _ := http.ParseTime(answer.Header.Get("Date"))
	response := &response{body: body, date: date.UTC()}
	if answer.StatusCode != http.StatusOK {
		return nil, statusError(call.segments, answer, without(body, token), c.clock(response))
	}
	if err := call.accept(body); err != nil {
		if cleaned := without(body, token); !bytes.Equal(cleaned, body) {
			err = cmp.Or(call.accept(cleaned), errors.New("the answer is not what the API documents"))
		}
		return nil, &Error{Kind: OffContract, Path: display(call.segments), Status: http.StatusOK, Err: err, temporary: true}
	}
	return response, nil
}

// without takes the token out of a body that repeats it, since excerpts of what
// went wrong end up in logs.
func without(body []byte, token string) []byte {
	if token == "" {
		return body
	}
	return bytes.ReplaceAll(body, []byte(token), []byte("[token]"))
}

func (c *Client) address(segments []string, query url.Values) string {
	target := *c.base
	escaped := make([]string, len(segments))
	for i, s := range segments {
		escaped[i] = escapeSegment(s)
	}
	target.Path, target.RawPath, target.RawQuery, target.Fragment = "", "", "", ""
	prefix := strings.TrimSuffix(c.base.EscapedPath(), "/")
	return target.String() + prefix + "/" + strings.Join(escaped, "/") + "?" + query.Encode()
}

// escapeSegment escapes one path segment; "." and ".." would be resolved away
// by servers and proxies, so their dots are escaped too.
func escapeSegment(s string) string {
	if strings.Trim(s, ".") == "" {
		return strings.ReplaceAll(s, ".", "%2E")
	}
	return url.PathEscape(s)
}

func display(segments []string) string { return "/" + strings.Join(segments, "/") }

var errBodyTooLarge = fmt.Errorf("answer is larger than %d MB", maxBody>>20)

// read reads the body, inflated by the transport, up to the limit.
func read(answer *http.Response) ([]byte, error) {
	limited := io.LimitReader(answer.Body, maxBody+1)
	size := 64 << 10
	if n := answer.ContentLength; n > 0 && n < maxBody {
		size = int(n) + 1
	}
	body := make([]byte, 0, size)
	for {
		if len(body) == cap(body) {
			body = append(body, 0)[:len(body)]
		}
		n, err := limited.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		switch {
		case len(body) > maxBody:
			return nil, errBodyTooLarge
		case errors.Is(err, io.EOF):
			return body, nil
		case err != nil:
			return nil, err
		}
	}
}

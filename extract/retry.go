package extract

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/failsafe-go/failsafe-go"
	"github.com/failsafe-go/failsafe-go/retrypolicy"
	"github.com/go-json-experiment/json/jsontext"
)

// maxPause bounds a single pause between attempts, whatever the source asks for.
const maxPause = 2 * time.Minute

// retryPolicy repeats what failed temporarily. The delay function replaces the
// library's jitter, which could fire before Retry-After is over.
func (c *Client) retryPolicy() retrypolicy.RetryPolicy[*response] {
	return retrypolicy.NewBuilder[*response]().
		HandleIf(func(_ *response, err error) bool {
			var failure *Error
			return errors.As(err, &failure) && failure.temporary
		}).
		WithMaxRetries(c.options.Retries).
		WithDelayFunc(c.pause).
		Build()
}

// pause is full jitter over a doubling ceiling, and never less than the source
// asked for, up to maxPause.
func (c *Client) pause(attempt failsafe.ExecutionAttempt[*response]) time.Duration {
	ceiling := min(c.options.Backoff<<min(attempt.Attempts(), 10), maxPause)
	pause := rand.N(ceiling) + time.Millisecond //nolint:gosec // jitter needs no secrecy
	if failure := new(Error); errors.As(attempt.LastError(), &failure) {
		pause = max(pause, min(failure.wait, maxPause))
	}
	return pause
}

// lastError undoes the retry library's wrapping. A cancelled run is reported as
// such and not as a failure of the source.
func lastError(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var failure *Error
	if errors.As(err, &failure) {
		return failure
	}
	return err
}

func transportError(segments []string, err error) error {
	failure := &Error{Kind: Unreachable, Path: display(segments), Err: err, temporary: true}
	var unknownAuthority x509.UnknownAuthorityError
	var hostname x509.HostnameError
	var invalid x509.CertificateInvalidError
	var verification *tls.CertificateVerificationError
	if errors.As(err, &unknownAuthority) || errors.As(err, &hostname) ||
		errors.As(err, &invalid) || errors.As(err, &verification) {
		failure.temporary = false
	}
	return failure
}

func bodyError(segments []string, status int, err error) error {
	if errors.Is(err, errBodyTooLarge) {
		return &Error{Kind: OffContract, Path: display(segments), Status: status, Err: err}
	}
	return &Error{Kind: Unreachable, Path: display(segments), Status: status, Message: "the answer broke off", Err: err, temporary: true}
}

// statusError classifies an answer that is not a 200.
func statusError(segments []string, answer *http.Response, body []byte, now time.Time) error {
	failure := &Error{
		Kind: Refused, Path: display(segments), Status: answer.StatusCode,
		Message: messageOf(body), wait: retryAfter(answer.Header.Get("Retry-After"), now),
	}
	switch status := answer.StatusCode; {
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		failure.Kind = Unauthorized
	case status == http.StatusNotFound:
		failure.Kind = NotFound
	case status == http.StatusRequestTimeout || status == http.StatusTooManyRequests || status >= 500:
		failure.Kind, failure.temporary = Unreachable, true
	case status < 400:
		failure.Kind = OffContract
		failure.Message = "the source redirects, which is not followed; set api.base_url to its final address"
	}
	return failure
}

// retryAfter reads the header in either of its forms: seconds or a date.
func retryAfter(header string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseUint(strings.TrimSpace(header), 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if date, err := http.ParseTime(header); err == nil {
		return date.Sub(now)
	}
	return 0
}

// messageOf finds the message of an error body, or gives a short clean excerpt
// of what came instead, such as a proxy's HTML.
func messageOf(body []byte) string {
	d := jsontext.NewDecoder(strings.NewReader(string(body[:min(len(body), 64<<10)])))
	if token, err := d.ReadToken(); err == nil && token.Kind() == '{' {
		for d.PeekKind() == '"' {
			name, _ := d.ReadToken()
			if name.String() != "message" {
				if d.SkipValue() != nil {
					break
				}
				continue
			}
			if value, err := d.ReadToken(); err == nil && value.Kind() == '"' {
				return excerpt(value.String())
			}
			break
		}
	}
	return excerpt(string(body))
}

// excerpt shortens a text to one clean line.
func excerpt(s string) string {
	const limit = 160
	var b strings.Builder
	for _, field := range strings.FieldsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }) {
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(field)
		if b.Len() > limit {
			return strings.ToValidUTF8(b.String()[:limit], "") + "…"
		}
	}
	return b.String()
}

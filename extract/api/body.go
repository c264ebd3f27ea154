package api

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/flashback-sync/flashback-sync/internal/crash"
)

const (
	// usualBody is the size of a page of 100 rows, and maxBody bounds an answer after
	// inflation: records may have megabytes of text.
	usualBody = 64 << 10
	maxBody   = 64 << 20
	// maxExcerpt is what is read of an answer that is not a 200: its status counts.
	maxExcerpt = 64 << 10
)

var (
	errBodyTooLarge = fmt.Errorf("answer is larger than %d MB", maxBody>>20)
	errIdle         = errors.New("no more bytes of the body")
)

// watched is a body that is given up when no bytes come for a while. Bytes count
// after inflation, which needs no more than some kilobytes to give the first.
type watched struct {
	io.Reader
	idle  *time.Timer
	limit time.Duration
}

func (c *Client) watched(body io.Reader, abort context.CancelCauseFunc) watched {
	giveUp := time.AfterFunc(c.options.Idle, func() {
		defer crash.Exit()
		abort(errIdle)
	})
	return watched{body, giveUp, c.options.Idle}
}

func (w watched) Read(p []byte) (int, error) {
	n, err := w.Reader.Read(p)
	if n > 0 {
		w.idle.Reset(w.limit)
	}
	return n, err
}

// orTimeout says which of the timeouts ended an attempt, if one did.
func (c *Client) orTimeout(ctx context.Context, err error, what string) error {
	switch cause := context.Cause(ctx); {
	case errors.Is(cause, errIdle):
		return fmt.Errorf("the answer stopped coming for %v", c.options.Idle)
	case errors.Is(cause, context.DeadlineExceeded):
		return fmt.Errorf("%s within %v", what, c.options.Timeout)
	default:
		return connectionError(err)
	}
}

// beginning is what an error page starts with, as far as it came. After a change of
// protocols the body is the connection itself, whose reads no timeout ends.
func beginning(status int, body io.Reader) []byte {
	if status == http.StatusSwitchingProtocols {
		return nil
	}
	b, _ := io.ReadAll(io.LimitReader(body, maxExcerpt))
	return b
}

// read reads the body, inflated by the transport, up to the limit.
func read(from io.Reader, announced int64) ([]byte, error) {
	if announced > maxBody {
		return nil, errBodyTooLarge
	}
	var body bytes.Buffer
	if announced < 0 || announced > usualBody { // -1 for an inflated body
		announced = usualBody
	}
	body.Grow(int(announced) + bytes.MinRead)
	if _, err := body.ReadFrom(io.LimitReader(from, maxBody+1)); err != nil {
		return body.Bytes(), err
	}
	if body.Len() > maxBody {
		return nil, errBodyTooLarge
	}
	return body.Bytes(), nil
}

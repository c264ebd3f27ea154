package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/flashback-sync/flashback-sync/internal/crash"
)

const (
	// maxBody bounds an answer after inflation. A page of 100 rows is about 60 KB;
	// the bound leaves room for records with megabytes of text.
	maxBody = 64 << 20
	// maxExcerpt is what is read of an answer that is not a 200: its status counts.
	maxExcerpt = 64 << 10
	// maxSpare is the largest body whose room is kept for another.
	maxSpare = 1 << 20
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

// read reads the body, inflated by the transport, up to the limit. Its announced
// length is believed only as far as it costs nothing.
func read(from io.Reader, announced int64) ([]byte, error) {
	if announced > maxBody {
		return nil, errBodyTooLarge
	}
	limited := io.LimitReader(from, maxBody+1)
	body := slices.Grow(spare(), int(max(64<<10, min(announced+1, 1<<20))))
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

// spares are the rooms of bodies that were given back.
var spares sync.Pool

// spare is an empty body with what room there is.
func spare() []byte {
	if room, ok := spares.Get().(*[]byte); ok {
		return (*room)[:0]
	}
	return nil
}

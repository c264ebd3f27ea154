package serve

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"sync"
	"time"

	"github.com/flashback-sync/flashback-sync/internal/status"
	"github.com/flashback-sync/flashback-sync/internal/visible"
)

const (
	// readTimeout bounds how long a page waits for what is published.
	readTimeout = 30 * time.Second
	// maxAge is how long a result is used while no file changes: its overview ends
	// with today.
	maxAge = 15 * time.Minute
	// retryAfter is when a failed read is tried again.
	retryAfter = 20 * time.Second
)

// published caches what is published. A child reads it again when a published file
// was replaced or the configuration changed.
type published struct {
	source func() status.Source            // what to read, as it is configured at present
	child  func(context.Context) *exec.Cmd // gets the source and prints status.Holdings, both as JSON
	now    func() time.Time

	mu     sync.Mutex
	seen   string // the fingerprint of what was read last
	readAt time.Time
	last   *status.Holdings
	failed error
}

// reader is the process that reads what is published.
func (s *Server) reader(ctx context.Context) *exec.Cmd {
	return exec.CommandContext(ctx, s.program, "report", "--holdings") //nolint:gosec // our own program
}

// read returns what is published, nil if nothing is. After a failure it also
// returns what was read before.
func (p *published) read(ctx context.Context) (*status.Holdings, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	age := maxAge
	if p.failed != nil {
		age = retryAfter
	}
	source := p.source()
	if seen := source.Fingerprint(); seen != p.seen || p.now().Sub(p.readAt) > age {
		source.At = p.now().UTC()
		read, err := p.runChild(ctx, source)
		if ctx.Err() != nil {
			return p.last, p.failed // the client went away
		}
		p.seen, p.readAt, p.failed = seen, p.now(), err
		if err == nil {
			p.last = read
		}
	}
	return p.last, p.failed
}

func (p *published) runChild(ctx context.Context, source status.Source) (*status.Holdings, error) {
	input, err := json.Marshal(source)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	command := p.child(ctx)
	command.Stdin, command.WaitDelay = bytes.NewReader(input), time.Second
	output, err := command.Output()
	if err != nil {
		if exit := (*exec.ExitError)(nil); errors.As(err, &exit) && len(exit.Stderr) > 0 {
			line, _, _ := strings.Cut(strings.TrimSpace(string(exit.Stderr)), "\n")
			err = errors.New(visible.Short(strings.TrimPrefix(line, "flashback-sync: "), 500))
		}
		return nil, err
	}
	var read *status.Holdings
	if err := json.Unmarshal(output, &read); err != nil {
		return nil, fmt.Errorf("decode the child's output: %w", err)
	}
	return read, nil
}

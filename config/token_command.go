package config

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"sync/atomic"
	"time"
)

// commandTimeout bounds one run of a token command.
const commandTimeout = 30 * time.Second

// A command runs a shell command for its token and keeps the last answer.
type command struct {
	line    string
	timeout time.Duration
	// turn holds one value while nobody runs the command; who takes it owns last.
	turn chan struct{}
	last answer
	runs atomic.Int64
}

type answer struct {
	token string
	err   error
}

func newCommand(line string) *command {
	c := &command{line: line, timeout: commandTimeout, turn: make(chan struct{}, 1)}
	c.turn <- struct{}{}
	return c
}

// token runs the command if there is no token yet or a new one is wanted, but
// not for a caller who has waited while it ran: many requests meet the same
// 401 at once.
func (c *command) token(ctx context.Context, refresh bool) (string, error) {
	before := c.runs.Load()
	select {
	case <-c.turn:
	case <-ctx.Done():
		return "", ctx.Err()
	}
	defer func() { c.turn <- struct{}{} }()
	if c.runs.Load() > before || c.last.token != "" && !refresh {
		return c.last.token, c.last.err
	}
	token, err := c.run(ctx)
	if ctx.Err() == nil { // an answer cut short by its caller is nobody else's
		c.last = answer{token, err}
		c.runs.Add(1)
	}
	return token, err
}

// run is one run. What the command writes to stderr goes nowhere, for it may
// hold the token.
func (c *command) run(parent context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(parent, c.timeout)
	defer cancel()
	var out output
	shell := exec.CommandContext(ctx, "sh", "-c", c.line) //nolint:gosec // the owner of the configuration wrote it to be run
	shell.Stdout = &out
	shell.WaitDelay = time.Second // for a child that outlives the shell and keeps its output open
	err := shell.Run()
	var exit *exec.ExitError
	switch {
	case parent.Err() != nil:
		return "", parent.Err()
	case ctx.Err() != nil:
		return "", fmt.Errorf("the command ran longer than %v", c.timeout)
	case out.tooLong:
		return "", errTooLong
	case errors.As(err, &exit):
		return "", fmt.Errorf("the command ended with %v", exit.ProcessState)
	case err != nil:
		return "", fmt.Errorf("run the command: %w", err)
	}
	return out.buffer.String(), nil
}

// output keeps what a token may need and refuses the rest.
type output struct {
	buffer  bytes.Buffer
	tooLong bool
}

func (o *output) Write(data []byte) (int, error) {
	if o.buffer.Len()+len(data) > maxToken+2 {
		o.tooLong = true
		return 0, errTooLong
	}
	return o.buffer.Write(data)
}

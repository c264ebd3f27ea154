// Package hook runs the commands of publish.after.
package hook

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"syscall"
	"time"
)

// timeout bounds one command.
const timeout = time.Hour

// Run runs the commands one after the other, also when one fails, with these variables, and
// with out for what they print. failed is called for each that fails; the error is that of
// all of them.
func Run(ctx context.Context, commands, environ []string, out io.Writer, failed func(error)) (failure error) {
	for i, line := range commands {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err := run(ctx, line, environ, out); err != nil {
			err = fmt.Errorf("publish.after: command %d: %w", i+1, err)
			failed(err)
			failure = errors.Join(failure, err)
		}
	}
	return failure
}

func run(parent context.Context, line string, environ []string, out io.Writer) error {
	ctx, cancel := context.WithTimeout(parent, timeout)
	defer cancel()
	shell := exec.CommandContext(ctx, "sh", "-c", line) //nolint:gosec // the owner of the configuration wrote it to be run
	shell.Env, shell.Stdout, shell.Stderr = environ, out, out
	shell.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	shell.Cancel = func() error { return syscall.Kill(-shell.Process.Pid, syscall.SIGTERM) } // what it started ends, too
	shell.WaitDelay = 10 * time.Second
	err := shell.Run()
	var exit *exec.ExitError
	switch {
	case parent.Err() != nil:
		return parent.Err()
	case ctx.Err() != nil:
		return fmt.Errorf("it ran longer than %v", timeout)
	case errors.As(err, &exit):
		return fmt.Errorf("it ended with %v", exit.ProcessState)
	}
	return err
}

package config

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"time"
)

// commandTimeout bounds one run of a command that prints a secret.
const commandTimeout = 30 * time.Second

// runCommand runs a shell command and returns what it prints. What it writes to stderr
// goes nowhere, for it may hold the secret.
func runCommand(parent context.Context, line string, timeout time.Duration) (string, error) {
	ctx, cancel := context.WithTimeout(parent, timeout)
	defer cancel()
	var out output
	shell := exec.CommandContext(ctx, "sh", "-c", line) //nolint:gosec // the owner of the configuration wrote it to be run
	shell.Stdout = &out
	shell.WaitDelay = time.Second // for a child that outlives the shell and keeps its output open
	err := shell.Run()
	var exit *exec.ExitError
	switch {
	case parent.Err() != nil:
		return "", parent.Err()
	case ctx.Err() != nil:
		return "", fmt.Errorf("the command ran longer than %v", timeout)
	case out.tooLong:
		return "", errTooLong
	case errors.As(err, &exit):
		return "", fmt.Errorf("the command ended with %v", exit.ProcessState)
	case err != nil:
		return "", fmt.Errorf("run the command: %w", err)
	}
	return out.buffer.String(), nil
}

// output keeps what a secret may need and refuses the rest.
type output struct {
	buffer  bytes.Buffer
	tooLong bool
}

func (o *output) Write(data []byte) (int, error) {
	if o.buffer.Len()+len(data) > maxSecret+2 {
		o.tooLong = true
		return 0, errTooLong
	}
	return o.buffer.Write(data)
}

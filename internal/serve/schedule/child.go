package schedule

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"syscall"
	"time"
)

// Outcome is how a run ended.
type Outcome struct {
	PID      int // 0 if no process was started
	ExitCode int // -1 if it has none
	// Signal ended the process, 0 if none did.
	Signal syscall.Signal
	// Crashed is set if the process was ended by a signal, other than by SIGTERM
	// after it was stopped.
	Crashed           bool
	Started, Finished time.Time // UTC
	// Err is why the process could not be started, or not be followed to its end.
	// It is nil for one that ran and failed.
	Err error
}

// Child is a command that runs as a child process, in a process group of its own:
// Ctrl-C in the terminal reaches us, and we decide when to stop it. If we are
// killed it continues to its end, as a run that was started by hand would.
type Child struct {
	Program string
	Env     []string
	// Stderr takes what the child writes there. It must not fail: the child would
	// get a broken pipe.
	Stderr io.Writer
	// Grace is how long a child that was stopped may take, before it and what it has
	// started are killed.
	Grace time.Duration
}

// exitTerminated is the program's exit code after SIGTERM.
const exitTerminated = 143

// Run runs the program with arguments, to its end.
func (c *Child) Run(ctx context.Context, arguments ...string) Outcome {
	out := Outcome{ExitCode: -1, Started: time.Now().UTC()}
	command := exec.CommandContext(ctx, c.Program, arguments...) //nolint:gosec // our own program
	command.Env, command.Stderr, command.WaitDelay = c.Env, c.Stderr, c.Grace
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	// What it has started is its own business until it has ended.
	command.Cancel = func() error { return command.Process.Signal(syscall.SIGTERM) }
	if err := command.Start(); err != nil {
		out.Finished, out.Err = time.Now().UTC(), fmt.Errorf("start a child process: %w", err)
		return out
	}
	out.PID = command.Process.Pid
	err := command.Wait()
	// What it started and left behind is killed. If there is nothing, the number of the group
	// is free, and not yet given out again: numbers are given out in turn.
	_ = syscall.Kill(-out.PID, syscall.SIGKILL)
	out.Finished, out.ExitCode = time.Now().UTC(), command.ProcessState.ExitCode()
	if status, ok := command.ProcessState.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		out.Signal = status.Signal()
		out.Crashed = out.Signal != syscall.SIGTERM || ctx.Err() == nil
		if !out.Crashed {
			out.ExitCode = exitTerminated // it was stopped before it could handle that itself
		}
	}
	// The outcome says how the child ended; what it had started may still have its output open.
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) && !errors.Is(err, exec.ErrWaitDelay) && ctx.Err() == nil {
		out.Err = fmt.Errorf("wait for a child process: %w", err)
	}
	return out
}

// SignalName is the name that kill -l prints for a signal.
func SignalName(s syscall.Signal) string {
	names := map[syscall.Signal]string{
		syscall.SIGINT: "SIGINT", syscall.SIGTERM: "SIGTERM", syscall.SIGKILL: "SIGKILL", syscall.SIGABRT: "SIGABRT",
		syscall.SIGSEGV: "SIGSEGV", syscall.SIGBUS: "SIGBUS", syscall.SIGQUIT: "SIGQUIT", syscall.SIGHUP: "SIGHUP",
	}
	return cmp.Or(names[s], s.String())
}

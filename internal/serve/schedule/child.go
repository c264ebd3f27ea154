package schedule

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"

	"github.com/flashback-sync/flashback-sync/internal/crash"
)

// Outcome is how a run ended.
type Outcome struct {
	// PID is what the process was called, 0 if none was started.
	PID int
	// ExitCode is the process's; -1 if it has none.
	ExitCode int
	// Signal ended the process, 0 if none did.
	Signal syscall.Signal
	// Crashed is set if the process was ended by a signal, other than by SIGTERM
	// after it had been told to stop.
	Crashed bool
	// LastLine is the last line that it wrote to its standard output, without
	// the line break; nil if it wrote none. It is cut at 1 MiB.
	LastLine          []byte
	Started, Finished time.Time // UTC
	// Err says why the process could not be started, or not be heard to its end.
	// It is nil for one that ran and failed.
	Err error
}

// Child runs commands of a program as child processes, in process groups of their
// own: Ctrl-C in the terminal reaches us, and we decide what to tell them. If we
// are killed they go on to their end, as a run that was started by hand would.
type Child struct {
	// Program is the program's path. "" is the one that runs now, or what has
	// taken its place: after an upgrade the next run is of the new release.
	Program string
	// Env is the environment; nil: ours.
	Env []string
	// Stderr takes what children write there; nil: nobody. That writing there
	// fails does not trouble them, unless it is an *os.File, which they get as
	// it is.
	Stderr io.Writer
	// Grace is how long a child that was told to stop may take, before it and
	// what it has started are killed. 0: 20 s.
	Grace time.Duration
}

// Run runs the program with arguments, to its end.
func (c *Child) Run(ctx context.Context, arguments ...string) Outcome {
	out := Outcome{ExitCode: -1, Started: now()}
	var stdout lastLine
	command, err := c.command(ctx, arguments)
	if err == nil {
		command.Stdout = &stdout
		err = command.Start()
	}
	if err != nil {
		out.Finished, out.Err = now(), fmt.Errorf("start a child process: %w", err)
		return out
	}
	out.PID = command.Process.Pid
	err = command.Wait()
	killGroup(command.Process.Pid) // what it started and left behind
	out.Finished, out.LastLine = now(), stdout.bytes()
	out.ExitCode = command.ProcessState.ExitCode()
	if status, ok := command.ProcessState.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		out.Signal = status.Signal()
		out.Crashed = out.Signal != syscall.SIGTERM || ctx.Err() == nil
	}
	if err != nil && !expected(ctx, err) {
		out.Err = fmt.Errorf("listen to a child process: %w", err)
	}
	return out
}

// expected is an error that says how the child ended, which the outcome does, or
// that something it had started kept its output open.
func expected(ctx context.Context, err error) bool {
	var exit *exec.ExitError
	return errors.As(err, &exit) || errors.Is(err, exec.ErrWaitDelay) || ctx.Err() != nil
}

func (c *Child) command(ctx context.Context, arguments []string) (*exec.Cmd, error) {
	program := c.Program
	if program == "" {
		var err error
		if program, err = os.Executable(); err != nil {
			return nil, err
		}
	}
	command := exec.CommandContext(ctx, program, arguments...) //nolint:gosec // our own program
	command.Env = c.Env
	command.Cancel = func() error { return tellToStop(command.Process) }
	command.WaitDelay = c.Grace
	if command.WaitDelay <= 0 {
		command.WaitDelay = 20 * time.Second
	}
	if _, file := c.Stderr.(*os.File); file || c.Stderr == nil {
		command.Stderr = c.Stderr
	} else {
		command.Stderr = deaf{c.Stderr}
	}
	ownGroup(command)
	return command, nil
}

func now() time.Time { return time.Now().UTC() }

// deaf does not hear that a writer fails, or else the pipe would be closed, and
// the child die of it.
type deaf struct{ io.Writer }

func (d deaf) Write(p []byte) (int, error) {
	defer crash.Exit() // os/exec calls it in a goroutine of its own
	_, _ = d.Writer.Write(p)
	return len(p), nil
}

// SignalName is what kill -l calls a signal.
func SignalName(s syscall.Signal) string {
	names := map[syscall.Signal]string{
		syscall.SIGINT: "SIGINT", syscall.SIGTERM: "SIGTERM", syscall.SIGKILL: "SIGKILL", syscall.SIGABRT: "SIGABRT",
		syscall.SIGSEGV: "SIGSEGV", syscall.SIGBUS: "SIGBUS", syscall.SIGQUIT: "SIGQUIT", syscall.SIGHUP: "SIGHUP",
	}
	return cmp.Or(names[s], s.String())
}

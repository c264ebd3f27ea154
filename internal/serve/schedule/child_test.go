//go:build unix

package schedule

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// child is a Child that plays a part of the test binary; see play.
func child(t *testing.T, part string) *Child {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return &Child{Program: program, Env: append(os.Environ(), partVariable+"="+part), Stderr: io.Discard, Grace: time.Minute}
}

// listener is a child's standard error; it waits for a line.
type listener struct{ line chan string }

func listen(c *Child) *listener {
	l := &listener{make(chan string, 100)}
	c.Stderr = l
	return l
}

func (l *listener) Write(p []byte) (int, error) {
	for line := range strings.Lines(string(p)) {
		l.line <- strings.TrimSpace(line)
	}
	return len(p), nil
}

func (l *listener) next(t *testing.T) string {
	t.Helper()
	select {
	case line := <-l.line:
		return line
	case <-time.After(30 * time.Second):
		t.Fatal("the child wrote nothing")
		return ""
	}
}

func TestAChildsExitCode(t *testing.T) {
	for _, code := range []int{0, 1, 3, ExitLocked, 143} {
		out := child(t, "exit").Run(t.Context(), strconv.Itoa(code))
		if out.ExitCode != code || out.Crashed || out.Signal != 0 || out.Err != nil {
			t.Errorf("exit %d: %+v", code, out)
		}
		if out.Started.IsZero() || out.Finished.Before(out.Started) || out.Started.Location() != time.UTC {
			t.Errorf("it ran from %s to %s", out.Started, out.Finished)
		}
	}
}

func TestAProgramThatIsNotThereIsAnOutcome(t *testing.T) {
	folder := t.TempDir()
	half := filepath.Join(folder, "half")
	if err := os.WriteFile(half, []byte("\x7fELF"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, program := range []string{filepath.Join(folder, "none"), folder, half} {
		out := (&Child{Program: program}).Run(t.Context(), "sync")
		if out.Err == nil || out.ExitCode != -1 || out.Crashed || out.Finished.IsZero() {
			t.Errorf("%+v", out)
		}
	}
	if out := (&Child{Program: half + "x"}).Run(t.Context()); !errors.Is(out.Err, os.ErrNotExist) {
		t.Errorf("got %v", out.Err)
	}
}

func TestNoChildIsStartedAfterTheEnd(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if out := child(t, "exit").Run(ctx, "0"); !errors.Is(out.Err, context.Canceled) {
		t.Errorf("%+v", out)
	}
}

func TestAChildThatIsKilledHasCrashed(t *testing.T) {
	c := child(t, "wait")
	stderr := listen(c)
	ended := make(chan Outcome, 1)
	go func() { ended <- c.Run(t.Context()) }()
	pid, err := strconv.Atoi(stderr.next(t))
	if err != nil {
		t.Fatal(err)
	}
	if process, err := os.FindProcess(pid); err != nil || process.Kill() != nil {
		t.Fatal("kill the child")
	}
	if out := <-ended; !out.Crashed || out.Signal != syscall.SIGKILL || out.ExitCode != -1 || out.Err != nil {
		t.Errorf("%+v", out)
	}
}

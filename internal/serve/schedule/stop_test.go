//go:build unix

package schedule

import (
	"context"
	"errors"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// stopped starts a child, stops it once it is there, and returns its outcome and
// how long it took to stop.
func stopped(t *testing.T, part string, grace time.Duration) (out Outcome, stderr *listener, took time.Duration) {
	t.Helper()
	c := child(t, part)
	c.Grace = grace
	stderr = listen(c)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	ended := make(chan Outcome, 1)
	go func() { ended <- c.Run(ctx) }()
	stderr.next(t)
	start := time.Now()
	stop()
	out = <-ended
	return out, stderr, time.Since(start)
}

func TestAChildIsStopped(t *testing.T) {
	out, _, _ := stopped(t, "stop cleanly", time.Minute)
	if out.ExitCode != 143 || out.Crashed || out.Signal != 0 || out.Err != nil {
		t.Errorf("%+v", out)
	}
}

func TestAChildThatKnowsNoSignalsHasNotCrashedIfStopped(t *testing.T) {
	if out, _, _ := stopped(t, "wait", time.Minute); out.ExitCode != 143 || out.Crashed || out.Signal != syscall.SIGTERM || out.Err != nil {
		t.Errorf("%+v", out)
	}
}

func TestAChildThatDoesNotStopIsKilledWithAllItStarted(t *testing.T) {
	out, stderr, took := stopped(t, "stubborn", time.Second)
	if !out.Crashed || out.Signal != syscall.SIGKILL || out.ExitCode != -1 || out.Err != nil {
		t.Errorf("%+v", out)
	}
	if took < 900*time.Millisecond || took > 20*time.Second {
		t.Errorf("it took %v, with a grace of a second", took)
	}
	grandchild, err := strconv.Atoi(stderr.next(t))
	if err != nil {
		t.Fatal(err)
	}
	gone := func() bool { // its new parent has to reap it
		return errors.Is(syscall.Kill(grandchild, 0), syscall.ESRCH) || zombie(grandchild)
	}
	for deadline := time.Now().Add(10 * time.Second); !gone(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("what the child had started is still there")
		}
	}
}

func TestAChildHasAGroupOfItsOwn(t *testing.T) {
	c := child(t, "group")
	stderr := listen(c)
	out := c.Run(t.Context())
	if group := stderr.next(t); group == strconv.Itoa(syscall.Getpgrp()) || out.ExitCode != 0 {
		t.Errorf("its group is %s, which is ours; %+v", group, out)
	}
}

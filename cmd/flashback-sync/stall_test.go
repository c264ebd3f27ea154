package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flashback-sync/flashback-sync/internal/journal"
	"github.com/flashback-sync/flashback-sync/internal/serve/schedule"
)

// A run that moves on, however slowly, is left alone; one that stands still is not.
func TestOnlyARunThatStandsStillIsStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var at atomic.Int64
		ctx, release := untilStalled(t.Context(), time.Hour, func() string { return fmt.Sprint(at.Load()) })
		defer release()
		for range 50 {
			time.Sleep(58 * time.Minute)
			at.Add(1)
		}
		if ctx.Err() != nil {
			t.Fatal("a run that moved on was stopped")
		}
		time.Sleep(62 * time.Minute)
		if !errors.Is(context.Cause(ctx), errStalled) {
			t.Errorf("a run that stands still is left alone: %v", context.Cause(ctx))
		}
	})
}

// A verification that reads a large day moves on by its requests alone.
func TestARequestIsProgress(t *testing.T) {
	b := newBench(t)
	if err := os.MkdirAll(filepath.Join(b.data(), "state"), 0o750); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, p := range []journal.Progress{
		{RunID: "a", UpdatedAt: time.Unix(1, 0)},
		{RunID: "a", UpdatedAt: time.Unix(2, 0)},
		{RunID: "a", Requests: 1},
		{RunID: "a", Requests: 1, Streams: []journal.StreamProgress{{Stream: "alerts", Rows: 1}}},
		{RunID: "b"},
	} {
		if err := journal.WriteProgress(b.data(), &p); err != nil {
			t.Fatal(err)
		}
		seen[progressOf(b.data())] = true
	}
	if len(seen) != 4 {
		t.Errorf("five states, two of which differ by time alone, look like %d", len(seen))
	}
}

// A run that hangs would hold up the schedule for ever.
func TestARunThatHangsIsStoppedAndNoted(t *testing.T) {
	b := newBench(t)
	a := &app{env: os.LookupEnv, stdout: io.Discard, stderr: io.Discard, configPath: b.config}
	c, err := a.load()
	if err != nil {
		t.Fatal(err)
	}
	s, err := lockedServer(a, c)
	if err != nil {
		t.Fatal(err)
	}
	hanging := filepath.Join(t.TempDir(), "hanging")
	if err := os.WriteFile(hanging, []byte("#!/bin/sh\nexec sleep 600\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	s.binary, s.patience = hanging, 300*time.Millisecond
	s.holdings.child = func(ctx context.Context) *exec.Cmd { return exec.CommandContext(ctx, "echo", "{}") }
	if err := os.MkdirAll(filepath.Join(c.DataDir, "state"), 0o750); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	outcome := s.work(t.Context(), schedule.Turn{Job: jobSync})
	if took := time.Since(began); took > 15*time.Second || !errors.Is(outcome.Err, errStalled) {
		t.Errorf("after %s: %+v", took, outcome)
	}
	runs := b.journal()
	if len(runs) != 1 || runs[0].Status != journal.Failed || !strings.Contains(runs[0].Error, "no progress") {
		t.Errorf("noted: %+v", runs)
	}
}

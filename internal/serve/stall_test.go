package serve

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flashback-sync/flashback-sync/internal/journal"
	"github.com/flashback-sync/flashback-sync/internal/serve/schedule"
)

// A slow run that makes progress is left alone.
func TestOnlyAStalledRunIsStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var at atomic.Int64
		ctx, release := untilStalled(t.Context(), time.Hour, func() string { return fmt.Sprint(at.Load()) })
		defer release()
		for range 50 {
			time.Sleep(58 * time.Minute)
			at.Add(1)
		}
		if ctx.Err() != nil {
			t.Fatal("a run that made progress was stopped")
		}
		time.Sleep(62 * time.Minute)
		if !errors.Is(context.Cause(ctx), errStalled) {
			t.Errorf("a stalled run is left alone: %v", context.Cause(ctx))
		}
	})
}

// A verification that reads a large day shows progress by its requests alone.
func TestARequestIsProgress(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "state"), 0o750); err != nil {
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
		if err := journal.WriteProgress(dir, &p); err != nil {
			t.Fatal(err)
		}
		seen[progressOf(dir)] = true
	}
	if len(seen) != 4 {
		t.Errorf("five states, two of which differ by time alone, look like %d", len(seen))
	}
}

// A run that hangs would block the schedule indefinitely.
func TestAHangingRunIsStoppedAndRecorded(t *testing.T) {
	s := newServer(t)
	hanging := filepath.Join(t.TempDir(), "hanging")
	if err := os.WriteFile(hanging, []byte("#!/bin/sh\nexec sleep 600\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	s.program, s.patience = hanging, 300*time.Millisecond
	start := time.Now()
	outcome := s.work(t.Context(), schedule.Turn{Job: job("sync")})
	if took := time.Since(start); took > 15*time.Second || !errors.Is(outcome.Err, errStalled) {
		t.Errorf("after %s: %+v", took, outcome)
	}
	runs := s.recorded(t)
	if len(runs) != 1 || runs[0].Status != journal.Failed || !strings.Contains(runs[0].Error, "no progress") {
		t.Errorf("recorded: %+v", runs)
	}
}

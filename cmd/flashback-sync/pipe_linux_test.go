package main

import (
	"context"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// A pipe in the place of a file would let whoever opens it wait indefinitely.
func TestAPipeInDataDirHangsNoCommand(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.configure(oneStream)
	b.first("")
	for _, name := range []string{
		"flashback.duckdb", "lake/manifest.json", "state/warehouse.duckdb", "state/lock", "state/runs.jsonl",
		"state/published.json", "state/progress.json", "state/unpublished", "flashback.duckdb.wal",
	} {
		path := filepath.Join(b.data(), filepath.FromSlash(name))
		aside := filepath.Join(t.TempDir(), "aside")
		_ = os.Rename(path, aside)
		for _, command := range [][]string{
			{"status"}, {"status", "--json"}, {"verify"}, {"query", "SELECT 1"}, {"report", "--out", filepath.Join(t.TempDir(), "report.html")}, {"sync", "--dry-run"}, {"sync"},
		} {
			_ = os.Remove(path)
			if err := syscall.Mkfifo(path, 0o600); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			done := make(chan result, 1)
			go func() { done <- b.runIn(ctx, command...) }()
			select {
			case r := <-done:
				t.Logf("%s, %v: exit %d", name, command, r.code)
			case <-ctx.Done():
				t.Fatalf("%v hangs with a pipe as %s", command, name)
			}
			cancel()
		}
		_ = os.Remove(path)
		_ = os.Rename(aside, path)
	}
}

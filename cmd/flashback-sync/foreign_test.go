package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"github.com/flashback-sync/flashback-sync/config"
)

func TestServeRemovesAForeignLog(t *testing.T) {
	var logged bytes.Buffer
	s := &server{log: zerolog.New(&logged), config: &config.Config{DataDir: t.TempDir()}}
	s.removeForeignLog()
	if logged.Len() > 0 {
		t.Errorf("without a log: %s", logged.String())
	}
	path := filepath.Join(s.config.DataDir, "flashback.duckdb.wal")
	if err := os.WriteFile(path, []byte("foreign"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.removeForeignLog()
	if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) || !strings.Contains(logged.String(), "open it read-only") {
		t.Errorf("%v, %s", err, logged.String())
	}
}

func TestQueryWarnsOfAForeignLog(t *testing.T) {
	b := newBench(t)
	b.must("sync")
	if r := b.must("query", "SELECT 1"); strings.Contains(r.stderr, ".wal") {
		t.Errorf("without a log: %s", r.stderr)
	}
	if err := os.WriteFile(filepath.Join(b.data(), "flashback.duckdb.wal"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if r := b.must("query", "SELECT 1"); !strings.Contains(r.stderr, "flashback.duckdb.wal is there") {
		t.Errorf("with a log: %q", r.stderr)
	}
}

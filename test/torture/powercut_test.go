//go:build linux && amd64

package torture

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A power cut loses what was written and not synced, or a part of it, where a
// kill loses nothing that was written. Of the write-ahead log that is the end:
// it may be missing, cut anywhere, or as long as it was and full of zeros.
func TestAPowerCutInsideACommitLosesNothing(t *testing.T) {
	t.Parallel()
	long(t)
	tracing(t)
	for _, s := range stages(t) {
		commit := step{"", "fsync state/warehouse.duckdb.wal"}
		commits := 0
		for _, c := range s.calls {
			if commit.matches(c) {
				commits++
			}
		}
		most := 1
		if exhaustive() {
			most = commits
		}
		for _, nth := range sample(commits, most) {
			for _, tail := range tails {
				t.Run(fmt.Sprintf("%s/commit %d/%s", s.named(), nth+1, tail.name), func(t *testing.T) {
					s.cut(t, commit, nth+1, tail.spoil)
				})
			}
		}
	}
}

// tails are what may become of the end of a log that was not synced.
var tails = []struct {
	name  string
	spoil func(log *os.File, synced, written int64) error
}{
	{"lost", func(log *os.File, synced, _ int64) error { return log.Truncate(synced) }},
	{"begun", func(log *os.File, synced, _ int64) error { return log.Truncate(synced + 1) }},
	{"half of it lost", func(log *os.File, synced, written int64) error { return log.Truncate((synced + written) / 2) }},
	{"last byte lost", func(log *os.File, _, written int64) error { return log.Truncate(written - 1) }},
	{"zeros", func(log *os.File, synced, written int64) error {
		_, err := log.WriteAt(make([]byte, written-synced), synced)
		return err
	}},
	{"half of it zeros", func(log *os.File, synced, written int64) error {
		middle := (synced + written) / 2
		_, err := log.WriteAt(make([]byte, written-middle), middle)
		return err
	}},
}

// cut kills the run when it is about to sync the nth commit, and spoils what was
// not synced. The next run has to put everything right.
func (s *stage) cut(t *testing.T, commit step, nth int, spoil func(log *os.File, synced, written int64) error) {
	t.Helper()
	s.set(t)
	path := filepath.Join(s.data, "state", "warehouse.duckdb.wal")
	var synced, written int64
	seen := 0
	r := s.traced(func(c call) verdict {
		if seen == nth || !commit.matches(c) {
			return verdict{}
		}
		synced = written
		if log, err := os.Stat(path); err == nil {
			written = log.Size()
		}
		if written < synced { // it was checkpointed and began anew
			synced = 0
		}
		seen++
		return verdict{kill: seen == nth}
	}, "sync")
	if r.code != -1 || written <= synced {
		t.Skipf("exit %d, %d bytes synced of %d: nothing to spoil", r.code, synced, written)
	}
	log, err := os.OpenFile(path, os.O_RDWR, 0)
	if err == nil {
		err = errors.Join(spoil(log, synced, written), log.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	s.readable()
	next := s.run("sync")
	if said := complaint(next.stderr); next.code == 8 && strings.Contains(said, "repair --rebuild") {
		// Zeros where a transaction was: for DuckDB that is damage.
		next = s.run("repair", "--rebuild")
	}
	if next.code != 0 {
		t.Errorf("a run that was left alone: exit %d\n%s", next.code, next.stderr)
	}
	s.equalsTruth()
}

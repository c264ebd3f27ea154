//go:build linux && amd64

package torture

import (
	"path"
	"testing"
)

// step is a step of the commit and publish protocol, as the system calls by which
// it is taken.
type step struct {
	name string
	call string // "name path", as a pattern of path.Match
}

// creation happens in the first run only.
var creation = []step{
	{"the new warehouse is created", "openat state/warehouse.duckdb.new"},
	{"the new warehouse's log is created", "openat state/warehouse.duckdb.new.wal"},
	{"the new warehouse's log is written", "write state/warehouse.duckdb.new.wal"},
	{"the new warehouse's log is synced", "fsync state/warehouse.duckdb.new.wal"},
	{"the new warehouse is written", "pwrite64 state/warehouse.duckdb.new"},
	{"the new warehouse is synced", "fsync state/warehouse.duckdb.new"},
	{"the new warehouse's log is removed", "unlink state/warehouse.duckdb.new.wal"},
	{"the new warehouse is put in its place", "rename state/warehouse.duckdb"},
	{"the lake's folders are made", "mkdirat lake*"},
	{"a table's folder is made", "mkdirat lake/*"},
	{"a partition's folder is made", "mkdirat lake/*/*"},
	{"the folder of partitions is synced", "fsync lake/*"},
}

// protocol happens in every run that finds something new.
var protocol = []step{
	{"the mark is written", "openat state/.unpublished.tmp-*"},
	{"the mark is synced", "fsync state/.unpublished.tmp-*"},
	{"the mark is put", "rename state/unpublished"},
	{"the mark's folder is synced", "fsync state"},
	{"the write-ahead log is created", "openat state/warehouse.duckdb.wal"},
	{"the write-ahead log is written", "write state/warehouse.duckdb.wal"},
	{"the write-ahead log is synced: a commit", "fsync state/warehouse.duckdb.wal"},
	{"the checkpoint is written", "pwrite64 state/warehouse.duckdb"},
	{"the checkpoint is synced", "fsync state/warehouse.duckdb"},
	{"the write-ahead log is removed", "unlink state/warehouse.duckdb.wal"},
	{"a partition is created", "openat lake/*/*/.*.parquet.tmp-*"},
	{"a partition is written", "write lake/*/*/.*.parquet.tmp-*"},
	{"a partition is synced", "fsync lake/*/*/.*.parquet.tmp-*"},
	{"a partition is put in its place", "rename lake/*/*/*.parquet"},
	{"a partition's folder is synced", "fsync lake/*/*"},
	{"the manifest is created", "openat lake/.manifest.json.tmp-*"},
	{"the manifest is written", "write lake/.manifest.json.tmp-*"},
	{"the manifest is synced", "fsync lake/.manifest.json.tmp-*"},
	{"the manifest is put in its place", "rename lake/manifest.json"},
	{"the manifest's folder is synced", "fsync lake"},
	{"the snapshot is created", "openat .flashback.duckdb.tmp-*"},
	{"the snapshot is copied", "copy_file_range .flashback.duckdb.tmp-*"},
	{"the snapshot's log is written", "write .flashback.duckdb.tmp-*.wal"},
	{"the snapshot's log is removed", "unlink .flashback.duckdb.tmp-*.wal"},
	{"the snapshot is written", "pwrite64 .flashback.duckdb.tmp-*"},
	{"the snapshot is synced", "fsync .flashback.duckdb.tmp-*"},
	{"the snapshot is put in its place", "rename flashback.duckdb"},
	{"the snapshot's folder is synced", "fsync ."},
	{"the mark is removed", "unlink state/unpublished"},
}

func (s step) matches(c call) bool {
	matched, _ := path.Match(s.call, c.name+" "+c.path)
	return matched
}

// Killed just before each step, each time that it is taken; as a rule only before
// the first time in a first run, and before the last in a later one.
func TestKilledAtEveryStepItLosesNothing(t *testing.T) {
	t.Parallel()
	long(t)
	tracing(t)
	for _, s := range stages(t) {
		steps := protocol
		if s.base == "" {
			steps = append(append([]step{}, creation...), protocol...)
		}
		t.Run(s.named(), func(t *testing.T) {
			t.Parallel()
			for _, step := range steps {
				t.Run(step.name, func(t *testing.T) { s.killedAt(t, step) })
			}
		})
	}
}

func (s *stage) killedAt(t *testing.T, step step) {
	times := 0
	for _, c := range s.calls {
		if step.matches(c) {
			times++
		}
	}
	if times == 0 {
		t.Fatal("this step is not taken: the protocol has changed, and so must this table")
	}
	which := []int{0}
	switch {
	case exhaustive():
		which = sample(times, 20)
	case s.base != "":
		which = []int{times - 1}
	}
	for _, n := range which {
		if !s.killed(t, step.matches, n+1, verdict{kill: true}) && n == 0 {
			t.Error("no run was killed")
		}
	}
}

// Killed before every call that changes something, and in the middle of every
// write; as a rule at some of them, evenly spread.
func TestKilledAtEveryCallItLosesNothing(t *testing.T) {
	t.Parallel()
	long(t)
	tracing(t)
	for _, s := range stages(t) {
		t.Run(s.named(), func(t *testing.T) {
			t.Parallel()
			most := 12
			if exhaustive() {
				most = len(s.calls)
			}
			for i, n := range sample(len(s.calls), most) {
				s.killed(t, func(call) bool { return true }, n+1, verdict{kill: true, half: s.calls[n].writes() && i%2 == 0})
				if t.Failed() {
					t.Fatalf("at call %d of %d", n+1, len(s.calls))
				}
			}
		})
	}
}

func (c call) writes() bool {
	return c.name == "write" || c.name == "pwrite64"
}

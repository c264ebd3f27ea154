//go:build linux && amd64

package torture

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// diskFault is a way in which a disk refuses.
type diskFault struct {
	name    string
	calls   []string // that are refused
	errno   syscall.Errno
	lasting bool // every such call from there on, rather than one
}

var (
	writing  = []string{"write", "pwrite64", "copy_file_range"}
	syncing  = []string{"fsync", "fdatasync"}
	creating = []string{"openat", "mkdirat"}
	anything = slices.Concat(writing, syncing, creating, []string{"rename", "unlink", "ftruncate"})
)

var diskFaults = []diskFault{
	{"full for a moment", writing, syscall.ENOSPC, false},
	{"a quota is reached", slices.Concat(writing, creating), syscall.EDQUOT, true},
	{"full from then on", slices.Concat(writing, creating), syscall.ENOSPC, true},
	{"a write fails", writing, syscall.EIO, false},
	{"a sync fails", syncing, syscall.EIO, false},
	{"syncs fail from then on", syncing, syscall.EIO, true},
	{"a rename fails", []string{"rename"}, syscall.EIO, false},
	{"no room for another file", creating, syscall.ENOSPC, false},
	{"a file cannot be removed", []string{"unlink"}, syscall.EIO, false},
	{"broken from then on", anything, syscall.EIO, true},
	{"read-only from then on", anything, syscall.EROFS, true},
}

func (f diskFault) concerns(c call) bool { return slices.Contains(f.calls, c.name) }

func TestADiskThatRefusesIsSaidClearly(t *testing.T) {
	t.Parallel()
	long(t)
	tracing(t)
	for _, s := range stages(t) {
		t.Run(s.named(), func(t *testing.T) {
			t.Parallel()
			for _, f := range diskFaults {
				t.Run(f.name, func(t *testing.T) { s.refusedBy(t, f) })
			}
		})
	}
}

func (s *stage) refusedBy(t *testing.T, f diskFault) {
	concerned := 0
	for _, c := range s.calls {
		if f.concerns(c) {
			concerned++
		}
	}
	most := 2
	if exhaustive() {
		most = 40
	}
	for _, n := range sample(concerned, most) {
		s.refused(t, f, n+1)
	}
}

// refused has the disk refuse the run's nth call that the fault concerns (from 1).
func (s *stage) refused(t *testing.T, f diskFault, nth int) {
	t.Helper()
	s.set(t)
	var hit *call
	seen := 0
	r := s.traced(func(c call) verdict {
		if !f.concerns(c) {
			return verdict{}
		}
		if seen++; seen < nth || (seen > nth && !f.lasting) {
			return verdict{}
		}
		if hit == nil {
			hit = &c
		}
		return verdict{errno: f.errno}
	}, "sync")
	if hit == nil {
		return // fewer calls than in the run before
	}
	said := complaint(r.stderr)
	switch {
	case strings.Contains(said, "terminate called after throwing an instance of 'duckdb::"):
		// DuckDB gives up when it cannot even take back what it wrote to its log.
		t.Errorf("call %d, %v: it was aborted: exit %d\n%.400s", nth, *hit, r.code, said)
	case crashed(r):
		t.Errorf("call %d, %v: it crashed: exit %d\n%.400s", nth, *hit, r.code, said)
	case r.code == 0:
		if err := s.judge(); err != nil {
			t.Errorf("call %d, %v: exit 0, but %v", nth, *hit, err)
		}
	case r.code != 6:
		t.Errorf("call %d, %v: exit %d, want 6\n%s", nth, *hit, r.code, said)
	case !toldClearly(said):
		t.Errorf("call %d, %v: not one line and a hint:\n%s", nth, *hit, said)
	}
	broken := t.Failed()
	s.readable()
	s.sync()
	s.equalsTruth()
	if !broken && t.Failed() {
		t.Fatalf("call %d, %v: it did not get over it; it had ended with %d\n%s", nth, *hit, r.code, said)
	}
}

// A commit that fails for a moment is retried, and the run goes on.
func TestAFailedCommitIsRetriedWithinTheRun(t *testing.T) {
	t.Parallel()
	tracing(t)
	w := newWorld(t, 12)
	for nth := 1; nth <= 12; nth++ {
		w.useFolder(filepath.Join(w.dir, fmt.Sprint("data", nth)))
		seen := 0
		r := w.traced(func(c call) verdict {
			if c.name != "write" || c.path != "state/warehouse.duckdb.wal" {
				return verdict{}
			}
			if seen++; seen != nth {
				return verdict{}
			}
			return verdict{errno: syscall.EIO}
		}, "sync")
		t.Logf("write %d of the log: exit %d\n%s", nth, r.code, r.stderr)
		if r.code == 0 && strings.Contains(r.stderr, "tried once more") {
			w.equalsTruth()
			return
		}
		w.sync()
		w.equalsTruth()
	}
	t.Error("no failed write of the log led to a retry")
}

//go:build linux && amd64

package torture

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// stage is a world in which the same run can be had again and again: either the
// very first one, or a later one that finds rows changed, late, moved and gone.
type stage struct {
	*world
	base   string // what data_dir is before the run; "" for nothing
	before map[string]int
	calls  []call // of the run when it is left alone
}

func (s *stage) named() string {
	if s.base == "" {
		return "first run"
	}
	return "later run"
}

// stages are both, each with the calls that its run makes.
func stages(t *testing.T) []*stage {
	t.Helper()
	first := &stage{world: newWorld(t, 7)}
	later := &stage{world: newWorld(t, 8)}
	later.base = filepath.Join(later.dir, "base")
	later.useFolder(later.base)
	later.sync()
	reader := later.analyst()
	if err := reader.read(); err != nil {
		t.Fatal(err)
	}
	later.before = reader.stored
	later.change(rand.New(rand.NewPCG(1, 0)))
	all := []*stage{first, later}
	for _, s := range all {
		s.set(t)
		s.traced(func(c call) verdict { s.calls = append(s.calls, c); return verdict{} }, "sync")
		s.equalsTruth()
	}
	if t.Failed() {
		t.FailNow()
	}
	return all
}

// set makes data_dir what it is before the run.
func (s *stage) set(t *testing.T) {
	t.Helper()
	s.t = t
	s.useFolder(filepath.Join(s.dir, "data"))
	err := os.RemoveAll(s.data)
	if err == nil && s.base != "" {
		err = os.CopyFS(s.data, os.DirFS(s.base))
	}
	if err != nil {
		t.Fatal(err)
	}
}

// readable holds what is published against what a reader has seen before.
func (s *stage) readable() {
	s.t.Helper()
	reader := s.analyst()
	for table, rows := range s.before {
		reader.stored[table] = rows
	}
	if err := reader.read(); err != nil {
		s.t.Errorf("a reader was disturbed: %v", err)
	}
}

// killed ends the run at its nth call that is wanted (from 1) and reports whether
// there was one. Then the next run has to put everything right.
func (s *stage) killed(t *testing.T, wanted func(call) bool, nth int, how verdict) bool {
	t.Helper()
	s.set(t)
	var hit *call
	seen := 0
	r := s.traced(func(c call) verdict {
		if hit != nil || !wanted(c) {
			return verdict{}
		}
		if seen++; seen < nth {
			return verdict{}
		}
		hit = &c
		return how
	}, "sync")
	if hit == nil {
		return false
	}
	if r.code != -1 {
		t.Errorf("exit %d, and not killed\n%s", r.code, r.stderr)
	}
	s.readable()
	s.sync()
	s.equalsTruth()
	if t.Failed() {
		t.Logf("killed at: %v", *hit)
	}
	return true
}

// sample is at most n numbers from 0 to below the size, evenly spread.
func sample(size, n int) []int {
	if size == 0 {
		return nil
	}
	n = min(n, size)
	var numbers []int
	for i := range n {
		numbers = append(numbers, i*(size-1)/max(n-1, 1))
	}
	return slices.Compact(numbers)
}

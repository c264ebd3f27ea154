package query

import (
	"os"
	"path/filepath"
	"testing"
)

func TestTheSpillOfAKilledQueryIsRemovedByTheNext(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	running, killed := newSpill(), newSpill()
	if err := os.WriteFile(filepath.Join(killed.dir, "duckdb_temp_storage-0.tmp"), []byte("rows"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := killed.lock.Close(); err != nil { // as the system does when a process ends
		t.Fatal(err)
	}
	foreign := filepath.Join(os.TempDir(), spillName+"foreign")
	if err := os.Mkdir(foreign, 0o755); err != nil {
		t.Fatal(err)
	}
	next := newSpill()
	if info, err := os.Stat(next.dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the new folder: %v, %v", info, err)
	}
	if _, err := os.Stat(killed.dir); !os.IsNotExist(err) {
		t.Errorf("the folder of the killed query: %v", err)
	}
	for _, dir := range []string{running.dir, foreign} {
		if _, err := os.Stat(dir); err != nil {
			t.Error(err)
		}
	}
	for _, s := range []*spill{running, next} {
		if err := s.remove(); err != nil {
			t.Error(err)
		}
	}
}

func TestQueryRunsWithoutASpillFolder(t *testing.T) {
	t.Setenv("TMPDIR", filepath.Join(t.TempDir(), "missing"))
	s := newSpill()
	if s.dir != "" || s.remove() != nil {
		t.Errorf("%+v", s)
	}
}

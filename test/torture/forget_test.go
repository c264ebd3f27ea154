//go:build linux && amd64

package torture

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/flashback-sync/flashback-sync/internal/apisim"
)

const (
	forgottenID   = "u-forgotten-4c1e"
	forgottenName = "Zora Forgotten"
)

// forgetting is a stage whose data_dir has rows of a person, and rows of others that mention
// her.
func forgetting(t *testing.T) *stage {
	t.Helper()
	s := &stage{world: newWorld(t, 11)}
	s.env, s.settings = []string{"PRIVACY_KEY=a key that is long enough"}, "privacy: {key_env: PRIVACY_KEY}\n"
	for i := range 3 {
		hers, about := s.sim.NewRow(apisim.Alerts, noon.Add(-time.Duration(20+i)*time.Hour), i), s.sim.NewRow(apisim.Alerts, noon.Add(-time.Duration(40+i)*time.Hour), i)
		hers.UserID, hers.UserName, hers.Message = forgottenID, forgottenName, "hers"
		about.Message = "about " + forgottenName + " and " + forgottenID
		s.sim.AddAlerts(hers, about)
	}
	s.base = filepath.Join(s.dir, "base")
	s.useFolder(s.base)
	s.sync()
	return s
}

// forgotten reports whether the person is in no file, texts of killed runs included.
func (s *stage) forgotten(texts ...string) {
	s.t.Helper()
	has := func(content []byte) bool {
		return bytes.Contains(content, []byte(forgottenID)) || bytes.Contains(bytes.ToLower(content), []byte(strings.ToLower(forgottenName)))
	}
	err := filepath.WalkDir(s.data, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		content, err := os.ReadFile(path)
		if has(content) {
			s.t.Errorf("%s has the person", path)
		}
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
	for _, text := range texts {
		if has([]byte(text)) {
			s.t.Errorf("the person is in: %s", text)
		}
	}
}

// erasing are the steps of a forget, in their order.
var erasing = []step{
	{"it is decided", "rename state/forgotten.json"},
	{"the decision is durable", "fsync state"},
	{"the new warehouse is created", "openat state/warehouse.duckdb.new"},
	{"the new warehouse is synced", "fsync state/warehouse.duckdb.new"},
	{"the new warehouse is put in its place", "rename state/warehouse.duckdb"},
	{"a partition is put in its place", "rename lake/*/*/*.parquet"},
	{"the manifest is put in its place", "rename lake/manifest.json"},
	{"the snapshot is put in its place", "rename flashback.duckdb"},
	{"the mark is removed", "unlink state/unpublished"},
}

// Killed before each step of a forget, and at calls between them: once it is decided, the
// next run erases the person from every file, and nothing of others.
func TestKilledWhileSomebodyIsForgotten(t *testing.T) {
	if os.Getenv("TORTURE_ALL") == "" {
		t.Skip("it takes minutes: make torture runs it")
	}
	t.Parallel()
	long(t)
	tracing(t)
	s := forgetting(t)
	s.set(t)
	s.traced(func(c call) verdict { s.calls = append(s.calls, c); return verdict{} }, "forget", "--user", forgottenID, "--yes")
	s.forgotten()
	if r := s.run("verify", "--full"); r.code != 0 {
		t.Fatalf("verify: exit %d\n%s%s", r.code, r.stdout, r.stderr)
	}
	for _, step := range erasing {
		t.Run(step.name, func(t *testing.T) {
			if !s.killedForgetting(t, step.matches, 1, verdict{kill: true}) {
				t.Error("this step is not taken: the protocol has changed, and so must this table")
			}
		})
	}
	most := 8
	if exhaustive() {
		most = len(s.calls)
	}
	for i, n := range sample(len(s.calls), most) {
		s.killedForgetting(t, func(call) bool { return true }, n+1, verdict{kill: true, half: s.calls[n].writes() && i%2 == 0})
		if t.Failed() {
			t.Fatalf("at call %d of %d: %v", n+1, len(s.calls), s.calls[n])
		}
	}
}

func (s *stage) killedForgetting(t *testing.T, wanted func(call) bool, nth int, how verdict) bool {
	t.Helper()
	s.set(t)
	seen, hit := 0, false
	killed := s.traced(func(c call) verdict {
		if hit || !wanted(c) {
			return verdict{}
		}
		if seen++; seen < nth {
			return verdict{}
		}
		hit = true
		return how
	}, "forget", "--user", forgottenID, "--yes")
	if !hit {
		return false
	}
	_, err := os.Stat(filepath.Join(s.data, "state", "forgotten.json"))
	r, alone := s.sync()
	if !alone {
		return true
	}
	if err == nil { // it was decided
		s.forgotten(killed.stdout, killed.stderr, r.stdout, r.stderr)
	}
	if r := s.run("verify"); r.code != 0 {
		t.Errorf("verify: exit %d\n%s%s", r.code, r.stdout, r.stderr)
	}
	return true
}

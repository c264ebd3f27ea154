package journal

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func dataDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "state"), 0o750); err != nil {
		t.Fatal(err)
	}
	return dir
}

func run(i int) Run {
	return Run{
		RunID: fmt.Sprintf("run-%04d", i), Command: "sync", Job: "sync", Status: OK,
		StartedAt: noon.Add(time.Duration(i) * time.Minute), FinishedAt: noon.Add(time.Duration(i)*time.Minute + 2*time.Second),
		Requests: map[string]int64{"200": 3, "429": 1}, Retries: 1,
		Streams: map[string]Stream{"alerts": {Received: 10, Inserted: 4, Updated: 1, Complete: true}},
	}
}

func appendAll(t *testing.T, dir string, runs ...Run) {
	t.Helper()
	for _, r := range runs {
		if err := Append(dir, r); err != nil {
			t.Fatal(err)
		}
	}
}

func mustRead(t *testing.T, dir string) *Journal {
	t.Helper()
	j, err := Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func TestWhatIsAppendedIsReadNewestFirst(t *testing.T) {
	dir := dataDir(t)
	appendAll(t, dir, run(1), run(2))
	if diff := cmp.Diff([]Run{run(2), run(1)}, mustRead(t, dir).Runs); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestARunIsNotedOnce(t *testing.T) {
	dir := dataDir(t)
	crashed := run(1)
	crashed.Status = Crashed
	appendAll(t, dir, run(1), crashed)
	if got := mustRead(t, dir).Runs; len(got) != 1 || got[0].Status != OK {
		t.Errorf("got %+v, want the first note only", got)
	}
}

func TestALineThatACrashCutShortHarmsNoOther(t *testing.T) {
	dir := dataDir(t)
	appendAll(t, dir, run(1), run(2))
	path := filepath.Join(dir, "state", "runs.jsonl")
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, content[:len(content)-20], 0o640); err != nil {
		t.Fatal(err)
	}
	appendAll(t, dir, run(3))
	if diff := cmp.Diff([]Run{run(3), run(1)}, mustRead(t, dir).Runs); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// fill writes runs as Append would have, without waiting for the disk each time.
func fill(t *testing.T, dir string, runs ...Run) {
	t.Helper()
	path := filepath.Join(dir, "state", "runs.jsonl")
	lines, _, err := read(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range runs {
		lines = append(lines, line{Run: &r, Texts: structural})
	}
	if err := os.WriteFile(path, encode(lines), 0o640); err != nil {
		t.Fatal(err)
	}
}

func TestTheFileStaysBoundedAndCountersNeverGoBack(t *testing.T) {
	dir := dataDir(t)
	var last int64
	n := 0
	for range 2 { // each time to where the file is folded, and beyond
		var more []Run
		for range 2*Keep - 1 - len(mustRead(t, dir).Runs) {
			more = append(more, run(n))
			n++
		}
		fill(t, dir, more...)
		for range 4 {
			appendAll(t, dir, run(n))
			n++
			now := mustRead(t, dir).Totals.Requests["200"]
			if now <= last {
				t.Fatalf("after %d runs 200 went from %d to %d", n, last, now)
			}
			last = now
		}
		j := mustRead(t, dir)
		if len(j.Runs) < Keep || len(j.Runs) > Keep+4 || j.Runs[0].RunID != run(n-1).RunID {
			t.Errorf("%d runs are remembered, the newest is %s", len(j.Runs), j.Runs[0].RunID)
		}
	}
	all := int64(n)
	want := Totals{
		Runs: map[string]map[string]int64{"sync": {OK: all}}, Requests: map[string]int64{"200": 3 * all, "429": all}, Retries: all,
		Seconds: map[string]float64{"sync": 2 * float64(all)},
		Good:    map[string]time.Time{"sync": run(n - 1).FinishedAt},
		Streams: map[string]StreamTotals{"alerts": {Received: 10 * all, Inserted: 4 * all, Updated: all}},
	}
	if diff := cmp.Diff(want, mustRead(t, dir).Totals); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestTheLastGoodRunIsNeverForgotten(t *testing.T) {
	dir := dataDir(t)
	appendAll(t, dir, run(1))
	var failing []Run
	for i := range 2 * Keep {
		r := run(i + 2)
		r.Status = Failed
		failing = append(failing, r)
	}
	fill(t, dir, failing...)
	appendAll(t, dir, run(1)) // noted already
	last := run(5000)
	last.Status = Failed
	appendAll(t, dir, last)
	j := mustRead(t, dir)
	if len(j.Runs) != Keep || !j.Totals.Good["sync"].Equal(run(1).FinishedAt) {
		t.Errorf("%d runs, the last good one at %v", len(j.Runs), j.Totals.Good)
	}
}

func TestManyWritersLoseNoRun(t *testing.T) {
	dir := dataDir(t)
	var all sync.WaitGroup
	for writer := range 8 {
		all.Go(func() {
			for i := range 10 {
				if err := Append(dir, run(writer*100+i)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if got := len(mustRead(t, dir).Runs); got != 80 {
		t.Errorf("%d runs are remembered, want 80", got)
	}
}

func TestProgressIsThereWhileTheRunIs(t *testing.T) {
	dir := dataDir(t)
	if p, err := ReadProgress(dir); p != nil || err != nil {
		t.Fatalf("got %v, %v before the run", p, err)
	}
	want := &Progress{RunID: "r", Command: "sync", StartedAt: noon, UpdatedAt: noon, Streams: []StreamProgress{{Stream: "alerts", Rows: 7}}}
	if err := WriteProgress(dir, want); err != nil {
		t.Fatal(err)
	}
	got, err := ReadProgress(dir)
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got)\n%s", err, diff)
	}
	if !got.Alive(noon.Add(time.Second)) || got.Alive(noon.Add(time.Minute)) {
		t.Error("a run is alive only while it renews its progress")
	}
	if err := EndProgress(dir); err != nil {
		t.Fatal(err)
	}
	if p, err := ReadProgress(dir); p != nil || err != nil {
		t.Errorf("got %v, %v after the run", p, err)
	}
}

func TestProgressOfADeadProcessIsKnownAtOnce(t *testing.T) {
	dir := dataDir(t)
	release, err := Claim(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := WriteProgress(dir, &Progress{RunID: "r", UpdatedAt: noon}); err != nil {
		t.Fatal(err)
	}
	if p, err := ReadProgress(dir); err != nil || !p.Alive(noon) {
		t.Errorf("the run that owns it is not alive: %+v, %v", p, err)
	}
	release() // as the system does for a process that was killed
	if p, err := ReadProgress(dir); err != nil || p.Alive(noon) {
		t.Errorf("a run that died is alive: %+v, %v", p, err)
	}
}

// What lies in the places of our files may be someone else's, and is left alone.
func TestLinksAreNotFollowed(t *testing.T) {
	for _, name := range []string{file, lockFile, progressFile, "state/.progress.json.tmp-"} {
		dir := dataDir(t)
		canary := filepath.Join(t.TempDir(), "canary")
		link := filepath.Join(dir, filepath.FromSlash(name))
		text := `{"run_id":"planted","job":"sync","status":"ok"}`
		if err := errors.Join(os.WriteFile(canary, []byte(text), 0o600), os.Symlink(canary, link)); err != nil {
			t.Fatal(err)
		}
		_ = Append(dir, run(1))
		_ = WriteProgress(dir, &Progress{RunID: "ours"})
		if j, err := Read(dir); err == nil && slices.ContainsFunc(j.Runs, func(r Run) bool { return r.RunID == "planted" }) {
			t.Errorf("%s: it was read", name)
		}
		if p, err := ReadProgress(dir); err == nil && p != nil && p.RunID == "planted" {
			t.Errorf("%s: it was read", name)
		}
		if content, err := os.ReadFile(canary); err != nil || string(content) != text {
			t.Errorf("%s: the file outside holds %q, %v", name, content, err)
		}
	}
}

func TestLinesThatAreNotOursArePassedOver(t *testing.T) {
	dir := dataDir(t)
	appendAll(t, dir, run(1))
	path := filepath.Join(dir, filepath.FromSlash(file))
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, junk := range []string{"null", "{}", "[]", "\x00\xff", strings.Repeat("x", 5<<20), `{"run_id":"` + strings.Repeat("y", mostLine), ""} {
		content = append(content, junk+"\n"...)
	}
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	appendAll(t, dir, run(2))
	if diff := cmp.Diff([]Run{run(2), run(1)}, mustRead(t, dir).Runs); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// A JSON file without a run is not one of a run that died.
func TestProgressOfNoRunIsNone(t *testing.T) {
	dir := dataDir(t)
	for _, content := range []string{"", "null", "{}", "[1]", "\x00"} {
		if err := os.WriteFile(filepath.Join(dir, filepath.FromSlash(progressFile)), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if p, err := ReadProgress(dir); p != nil || err != nil {
			t.Errorf("%q: got %+v, %v", content, p, err)
		}
	}
}

// TestQuotesOfFormerReleasesAreRemoved when they are read, and from the file by the
// next run; what this release writes stays.
func TestQuotesOfFormerReleasesAreRemoved(t *testing.T) {
	dir := dataDir(t)
	path := filepath.Join(dir, filepath.FromSlash(file))
	old := `{"run_id":"old","command":"sync","job":"sync","status":"failed","error":"Jane Doe","streams":{"alerts":{"error":"Jane Doe"}}}` + "\n"
	if err := os.WriteFile(path, []byte(old), 0o640); err != nil {
		t.Fatal(err)
	}
	if got := mustRead(t, dir).Runs[0]; got.Error != removed || *got.Streams["alerts"].Error != removed {
		t.Errorf("read: %+v", got)
	}
	failed := run(1)
	failed.Error = "GET /policy/alerts: HTTP 503"
	appendAll(t, dir, failed, run(2))
	content, err := os.ReadFile(path)
	if err != nil || strings.Contains(string(content), "Jane") {
		t.Errorf("%s, %v", content, err)
	}
	if got := mustRead(t, dir).Runs; len(got) != 3 || got[1].Error != failed.Error || got[2].Error != removed {
		t.Errorf("got %+v", got)
	}
	left := `{"run_id":"old","message":"Jane Doe","streams":[{"stream":"alerts","error":"Jane Doe"}]}`
	if err := os.WriteFile(filepath.Join(dir, filepath.FromSlash(progressFile)), []byte(left), 0o640); err != nil {
		t.Fatal(err)
	}
	if p, err := ReadProgress(dir); err != nil || p.RunID != "old" || p.Message+p.Streams[0].Error != "" {
		t.Errorf("progress: %+v, %v", p, err)
	}
}

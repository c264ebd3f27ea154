package journal

import (
	"fmt"
	"os"
	"path/filepath"
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

func TestTheFileStaysBoundedAndCountersNeverGoBack(t *testing.T) {
	dir := dataDir(t)
	runs, most := 5*Keep/2, int64(0)
	var last int64
	for i := range runs {
		appendAll(t, dir, run(i))
		if i%50 != 0 {
			continue
		}
		j := mustRead(t, dir)
		if now := j.Totals.Requests["200"]; now < last {
			t.Fatalf("after %d runs 200 fell from %d to %d", i, last, now)
		} else {
			last = now
		}
		info, err := os.Stat(filepath.Join(dir, "state", "runs.jsonl"))
		if err != nil {
			t.Fatal(err)
		}
		most = max(most, info.Size())
	}
	j := mustRead(t, dir)
	if len(j.Runs) < Keep || len(j.Runs) > 2*Keep || j.Runs[0].RunID != run(runs-1).RunID {
		t.Errorf("%d runs are remembered, the newest is %s", len(j.Runs), j.Runs[0].RunID)
	}
	n := int64(runs)
	want := Totals{
		Runs: map[string]map[string]int64{"sync": {OK: n}}, Requests: map[string]int64{"200": 3 * n, "429": n}, Retries: n,
		Seconds: map[string]float64{"sync": 2 * float64(n)},
		Good:    map[string]time.Time{"sync": run(runs - 1).FinishedAt},
		Streams: map[string]StreamTotals{"alerts": {Received: 10 * n, Inserted: 4 * n, Updated: n}},
	}
	if diff := cmp.Diff(want, j.Totals); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	failing := run(runs)
	failing.Status = Failed
	for i := range 3 * Keep {
		failing.RunID = fmt.Sprintf("failing-%d", i)
		appendAll(t, dir, failing)
	}
	if j := mustRead(t, dir); !j.Totals.Good["sync"].Equal(run(runs - 1).FinishedAt) {
		t.Errorf("the last good run is forgotten: %v", j.Totals.Good)
	}
	if most > 2*Keep*600 {
		t.Errorf("the file grew to %d bytes", most)
	}
}

func TestManyWritersLoseNoRun(t *testing.T) {
	dir := dataDir(t)
	var all sync.WaitGroup
	for writer := range 8 {
		all.Go(func() {
			for i := range 20 {
				if err := Append(dir, run(writer*100+i)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if got := len(mustRead(t, dir).Runs); got != 160 {
		t.Errorf("%d runs are remembered, want 160", got)
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

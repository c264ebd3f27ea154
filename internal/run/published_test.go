package run_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flashback-sync/flashback-sync/internal/apisim"
	"github.com/flashback-sync/flashback-sync/internal/audit"
	"github.com/flashback-sync/flashback-sync/internal/published"
	"github.com/flashback-sync/flashback-sync/load"
	"github.com/flashback-sync/flashback-sync/load/duckdb"
	"github.com/flashback-sync/flashback-sync/load/lake"
	"github.com/flashback-sync/flashback-sync/load/snapshot"
)

// altered finds a warning that names a file.
func (w *world) warned(text string) bool {
	return strings.Contains(strings.Join(w.warnings, "\n"), text)
}

// flip changes a byte of a file in the middle, and keeps its length.
func flip(t *testing.T, path string) {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	content[len(content)/2] ^= 0xff
	if err := os.WriteFile(path, content, 0o600); err != nil { // by name: the mode stays
		t.Fatal(err)
	}
}

func TestAPublishedFileThatSomebodyChangedIsPublishedAgain(t *testing.T) {
	t.Parallel()
	today := "lake/alerts/date=" + noon.Format("2006-01-02") + "/alerts.parquet"
	for name, c := range map[string]struct {
		path   string
		change func(t *testing.T, path string)
	}{
		"rows deleted": {snapshot.Name, func(t *testing.T, path string) {
			if err := os.Chmod(path, 0o640); err != nil {
				t.Fatal(err)
			}
			tamper(t, path, "DELETE FROM alerts WHERE timestamp < TIMESTAMPTZ '2026-03-17'")
		}},
		"snapshot gone":      {snapshot.Name, func(t *testing.T, path string) { _ = os.Remove(path) }},
		"snapshot flipped":   {snapshot.Name, flip},
		"parquet flipped":    {today, flip},
		"parquet cut":        {today, func(_ *testing.T, path string) { _ = os.Truncate(path, 100) }},
		"parquet gone":       {today, func(_ *testing.T, path string) { _ = os.Remove(path) }},
		"manifest not JSON":  {"lake/manifest.json", func(_ *testing.T, path string) { _ = os.WriteFile(path, []byte("{"), 0o600) }},
		"manifest gone":      {"lake/manifest.json", func(_ *testing.T, path string) { _ = os.Remove(path) }},
		"manifest lacks one": {"lake/manifest.json", dropFirst},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := synced(t, small(), alerts)
			if altered := published.Altered(w.dir); len(altered) > 0 {
				t.Fatalf("altered before: %v", altered)
			}
			c.change(t, filepath.Join(w.dir, c.path))
			if altered := published.Altered(w.dir); len(altered) != 1 || altered[0] != c.path {
				t.Errorf("status calls %v altered", altered)
			}
			w.mustSync(w.options(alerts))
			w.equalsTruth(apisim.Alerts)
			if !w.warned(c.path) {
				t.Errorf("warnings: %v", w.warnings)
			}
			if report, err := audit.Verify(context.Background(), w.options(alerts), w.client); err != nil || report.Status != audit.Match {
				t.Errorf("%v, %+v", err, report)
			}
			before := w.files()
			w.mustSync(w.options(alerts))
			if diff := cmp.Diff(before, w.files()); diff != "" {
				t.Errorf("the next run writes again:\n%s", diff)
			}
		})
	}
}

// dropFirst takes one file out of the manifest.
func dropFirst(t *testing.T, path string) {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	from := bytes.Index(content, []byte("    {\n      \"table\""))
	to := from + bytes.Index(content[from:], []byte("},\n")) + 3
	if err := os.WriteFile(path, append(content[:from:from], content[to:]...), 0o600); err != nil {
		t.Fatal(err)
	}
}

// A file that only looks different, as after a restore, is as good as before.
func TestAFileOfTheSameContentIsKept(t *testing.T) {
	t.Parallel()
	w := synced(t, small())
	path := filepath.Join(w.dir, "lake/alerts/date="+noon.Format("2006-01-02")+"/alerts.parquet")
	content, err := os.ReadFile(path)
	if err == nil {
		err = errors.Join(os.Remove(path), os.WriteFile(path, content, 0o640))
	}
	before, statErr := os.Stat(path)
	if err := errors.Join(err, statErr); err != nil {
		t.Fatal(err)
	}
	w.mustSync(w.options())
	if after, err := os.Stat(path); err != nil || !os.SameFile(before, after) || len(w.warnings) > 0 {
		t.Errorf("written again: %v, %v", err, w.warnings)
	}
	if altered := published.Altered(w.dir); len(altered) > 0 {
		t.Errorf("still %v", altered)
	}
}

func TestAForeignLogIsRemovedAndReported(t *testing.T) {
	t.Parallel()
	w := synced(t, small())
	path := filepath.Join(w.dir, snapshot.LogName)
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	report, err := audit.Verify(context.Background(), w.options(), w.client)
	if err != nil || report.Status == audit.Match {
		t.Errorf("verify: %v, %+v", err, report)
	}
	w.mustSync(w.options())
	if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) || !w.warned(snapshot.LogName) {
		t.Errorf("%v, %v", err, w.warnings)
	}
}

// A run that was killed while it published leaves files that the note does not know.
func TestWhatAKilledRunPublishedIsNotCalledChangedBySomebody(t *testing.T) {
	t.Parallel()
	w := synced(t, small())
	manifest, err := lake.ReadManifest(filepath.Join(w.dir, "lake"))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(w.dir, "lake", filepath.FromSlash(manifest.Files[0].Path))
	makeWritable(t, path)
	flip(t, path)
	if err := os.WriteFile(filepath.Join(w.dir, filepath.FromSlash(load.Unpublished)), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	w.mustSync(w.options())
	if w.warned("since somebody") || !w.warned("a run was killed while it published") {
		t.Error(w.warnings)
	}
}

func TestAWarehouseOlderThanWhatIsPublishedReplacesNothing(t *testing.T) {
	t.Parallel()
	for name, lost := range map[string]string{"all there": "", "no manifest": "lake/manifest.json", "no snapshot": snapshot.Name} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := synced(t, small())
			w.sim.Advance(6 * day)
			w.add(apisim.Alerts, w.sim.Now().Add(-day), 300)
			w.prepared("restored state", func() {
				state, backup := filepath.Join(w.dir, "state"), filepath.Join(t.TempDir(), "state")
				copyTree(t, state, backup)
				w.mustSync(w.options())
				copyTree(t, backup, state)
			})
			rows := w.published("SELECT count(*) FROM alerts")
			if lost != "" {
				if err := os.Remove(filepath.Join(w.dir, lost)); err != nil {
					t.Fatal(err)
				}
			}
			before := w.files()
			for _, dry := range []bool{true, false} {
				o := w.options()
				o.DryRun = dry
				var damaged *duckdb.DamagedError
				if _, err := w.sync(context.Background(), o); !errors.As(err, &damaged) || !strings.Contains(err.Error(), "older than what is published") {
					t.Errorf("dry %v: %v", dry, err)
				}
			}
			if diff := cmp.Diff(before, w.files()); diff != "" {
				t.Errorf("published files changed:\n%s", diff)
			}
			w.rebuild(w.options())
			if got := w.published("SELECT count(*) FROM alerts"); got != rows {
				t.Errorf("%s of %s rows after the rebuild", got, rows)
			}
			w.equalsTruth()
		})
	}
}

// A backup that is copied over a data_dir leaves the Parquet files that are newer.
func TestNewerParquetFilesOfARestoredDataDirAreNotReplaced(t *testing.T) {
	t.Parallel()
	for name, lost := range map[string][]string{"all restored": nil, "no other file": {"lake/manifest.json", snapshot.Name}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := synced(t, small())
			w.sim.Advance(6 * day)
			w.add(apisim.Alerts, w.sim.Now().Add(-day), 300)
			w.prepared("restored data_dir", func() {
				backup := filepath.Join(t.TempDir(), "data")
				copyTree(t, w.dir, backup)
				w.mustSync(w.options())
				alerts, newer := filepath.Join(w.dir, "lake/alerts"), filepath.Join(t.TempDir(), "alerts")
				copyTree(t, alerts, newer)
				copyTree(t, backup, w.dir)
				copyTree(t, newer, alerts)
			})
			for _, path := range lost {
				if err := os.Remove(filepath.Join(w.dir, path)); err != nil {
					t.Fatal(err)
				}
			}
			before := w.files()
			var damaged *duckdb.DamagedError
			if _, err := w.sync(context.Background(), w.options()); !errors.As(err, &damaged) || !strings.Contains(err.Error(), "older than what is published") {
				t.Errorf("%v", err)
			}
			if diff := cmp.Diff(before, w.files()); diff != "" {
				t.Errorf("published files changed:\n%s", diff)
			}
			w.rebuild(w.options())
			if got := w.published("SELECT count(*) FROM alerts"); got != strconv.Itoa(w.sim.Len(apisim.Alerts)) {
				t.Errorf("%s of %d rows after the rebuild", got, w.sim.Len(apisim.Alerts))
			}
		})
	}
}

func TestGenerationsGrowAndSayWhatChanged(t *testing.T) {
	t.Parallel()
	w := synced(t, small())
	read := func() (*lake.Manifest, map[string]int64) {
		manifest, err := lake.ReadManifest(filepath.Join(w.dir, "lake"))
		if err != nil {
			t.Fatal(err)
		}
		files := map[string]int64{}
		for _, f := range manifest.Files {
			files[f.Path] = f.Generation
		}
		if got := w.published("SELECT generation FROM publication"); got != fmt.Sprint(manifest.Generation) {
			t.Errorf("%s is of publication %s, the manifest of %d", snapshot.Name, got, manifest.Generation)
		}
		return manifest, files
	}
	first, before := read()
	w.add(apisim.Alerts, noon.Add(-day), 1)
	w.mustSync(w.options())
	second, after := read()
	if first.Generation < 1 || second.Generation <= first.Generation {
		t.Errorf("generation %d, then %d", first.Generation, second.Generation)
	}
	for path, generation := range after {
		want := before[path]
		if strings.HasPrefix(path, "alerts/date="+noon.Add(-day).Format("2006-01-02")) || strings.HasPrefix(path, "events_daily/month="+noon.Add(-day).Format("2006-01")) {
			want = second.Generation
		}
		if generation != want || want == 0 {
			t.Errorf("%s: generation %d, want %d", path, generation, want)
		}
	}
}

func TestADataDirOfParquetFilesAloneIsNotOverwritten(t *testing.T) {
	t.Parallel()
	w := synced(t, small())
	err := errors.Join(os.RemoveAll(filepath.Join(w.dir, "state")), os.Remove(filepath.Join(w.dir, snapshot.Name)), os.Remove(filepath.Join(w.dir, "lake/manifest.json")))
	if err != nil {
		t.Fatal(err)
	}
	before := w.files()
	for _, dry := range []bool{true, false} {
		o := w.options()
		o.DryRun = dry
		var damaged *duckdb.DamagedError
		if _, err := w.sync(context.Background(), o); !errors.As(err, &damaged) {
			t.Errorf("dry %v: %v", dry, err)
		}
	}
	if diff := cmp.Diff(before, w.files()); diff != "" {
		t.Errorf("files changed:\n%s", diff)
	}
}

// What lies in data_dir and is not ours is neither read nor an error.
func TestFoldersThatAreNotOursAreLeftAlone(t *testing.T) {
	t.Parallel()
	w := alone(t, small(), func(string) []string { return []string{"setpriv", "--bounding-set=-dac_override,-dac_read_search"} })
	if w == nil {
		return
	}
	w.mustSync(w.options())
	var foreign []string
	for _, folder := range []string{"lost+found", "lake/lost+found", "lake/.snapshot", "lake/alerts/lost+found", "state/lost+found"} {
		path := filepath.Join(w.dir, folder)
		if err := errors.Join(os.Mkdir(path, 0o750), os.WriteFile(filepath.Join(path, "x.parquet"), nil, 0o600), os.Chmod(path, 0)); err != nil {
			t.Fatal(err)
		}
		foreign = append(foreign, path)
	}
	defer func() {
		for _, path := range foreign {
			_ = os.Chmod(path, 0o700)
		}
	}()
	if err := os.WriteFile(filepath.Join(w.dir, load.Unpublished), nil, 0o600); err != nil { // as after a crash
		t.Fatal(err)
	}
	w.mustSync(w.options())
	if report, err := audit.Verify(context.Background(), w.options(), w.client); err != nil || report.Status != audit.Match {
		t.Errorf("%v, %+v", err, report)
	}
}

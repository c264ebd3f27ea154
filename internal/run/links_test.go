package run_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/flashback-sync/flashback-sync/internal/apisim"
	"github.com/flashback-sync/flashback-sync/load/duckdb"
)

const planted = "planted canary"

// plant puts a link to a file outside in the place of what is there.
func (w *world) plant(target, place string) (link string) {
	w.t.Helper()
	link = filepath.Join(w.dir, place)
	if err := errors.Join(os.MkdirAll(filepath.Dir(link), 0o750), os.RemoveAll(link), os.Symlink(target, link)); err != nil {
		w.t.Fatal(err)
	}
	return link
}

// Fault 59: what a run puts in its place takes the place of a link, too.
func TestLinksInThePlaceOfPublishedFilesAreReplaced(t *testing.T) {
	t.Parallel()
	for _, first := range []bool{true, false} {
		w := newWorld(t, small())
		if !first {
			w.mustSync(w.options())
			w.add(apisim.Alerts, noon, 3)
		}
		canary := filepath.Join(t.TempDir(), "canary")
		if err := os.WriteFile(canary, []byte(planted), 0o600); err != nil {
			t.Fatal(err)
		}
		var links []string
		for _, place := range []string{
			"flashback.duckdb", "flashback.duckdb.wal", "lake/manifest.json", "state/unpublished",
			"lake/alerts/date=2026-03-18/alerts.parquet", "lake/violations/date=2026-03-16/violations.parquet",
		} {
			links = append(links, w.plant(canary, place))
		}
		w.mustSync(w.options())
		w.equalsTruth()
		for _, link := range links {
			if info, err := os.Lstat(link); err == nil && !info.Mode().IsRegular() {
				t.Errorf("%s is still a link", link)
			}
		}
		if content, err := os.ReadFile(canary); err != nil || string(content) != planted {
			t.Errorf("the file outside holds %q, %v", content, err)
		}
		w.lacks(planted)
	}
}

// What would be opened through a link ends the run: before the source is asked,
// unless it is a single partition's folder.
func TestLinksInThePlaceOfFoldersEndTheRun(t *testing.T) {
	t.Parallel()
	for place, early := range map[string]bool{
		"state": true, "state/lock": true, "state/tmp": true, "state/warehouse.duckdb": true, "state/warehouse.duckdb.wal": true,
		"lake": true, "lake/alerts": false, "lake/alerts/date=2026-03-18": false,
	} {
		t.Run(place, func(t *testing.T) {
			w := synced(t, small())
			w.add(apisim.Alerts, noon, 3)
			w.sim.ResetRequests()
			outside := t.TempDir()
			canary := filepath.Join(outside, "alerts.parquet") // as a partition's file is called
			if err := os.WriteFile(canary, []byte(planted), 0o600); err != nil {
				t.Fatal(err)
			}
			link := w.plant(outside, place)
			_, err := w.sync(context.Background(), w.options())
			var storage *duckdb.StorageError
			if !errors.As(err, &storage) || !strings.Contains(err.Error(), link) || !strings.Contains(err.Error(), "remove it") {
				t.Errorf("%v", err)
			}
			if asked := len(w.sim.Requests()); early != (asked == 0) {
				t.Errorf("the source was asked %d times", asked)
			}
			entries, _ := os.ReadDir(outside)
			if content, _ := os.ReadFile(canary); string(content) != planted || len(entries) != 1 {
				t.Errorf("the folder outside holds %v, %q", entries, content)
			}
			w.lacks(planted)
		})
	}
}

// lacks looks for a text in every file of data_dir.
func (w *world) lacks(text string) {
	w.t.Helper()
	err := filepath.WalkDir(w.dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		content, err := os.ReadFile(path)
		if strings.Contains(string(content), text) {
			w.t.Errorf("%s holds %q", path, text)
		}
		return err
	})
	if err != nil {
		w.t.Error(err)
	}
}

package lake_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/flashback-sync/flashback-sync/internal/durable"
	"github.com/flashback-sync/flashback-sync/load"
	"github.com/flashback-sync/flashback-sync/load/lake"
	"github.com/flashback-sync/flashback-sync/schema"
)

func (s *site) prepare(days ...int) *lake.Prepared {
	s.Helper()
	var starts []time.Time
	for _, n := range days {
		starts = append(starts, day(n))
	}
	prepared, err := lake.Prepare(context.Background(), options(s.dir), s, schema.Alerts(), starts)
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { _ = prepared.Discard() })
	return prepared
}

func TestPreparedFilesAreInstalledByPublish(t *testing.T) {
	s := newSite(t)
	s.alerts(alert("a", day(0)), alert("b", day(1)), alert("c", day(1)))
	prepared := s.prepare(1, 0)
	if _, err := os.Stat(filepath.Join(s.dir, filepath.FromSlash(alertFile(0)))); err == nil {
		t.Error("a prepared file is in its place already")
	}
	o := options(s.dir)
	o.Prepared = prepared
	never := &failing{Warehouse: s.Warehouse, end: func() error { return fmt.Errorf("read again") }}
	result, err := lake.Publish(context.Background(), o, never)
	if err != nil || result.Files != 2 || len(result.Written) != 1 {
		t.Errorf("%+v, %v", result, err)
	}
	if got, want := s.parquet(), alertFile(0)+" "+alertFile(1); got != want {
		t.Errorf("files %s, want %s", got, want)
	}
	s.checkManifest()
	s.checkRows("prepared")
	s.checkFolders(2)
}

// checkFolders counts the folders of days.
func (s *site) checkFolders(want int) {
	s.Helper()
	folders, err := filepath.Glob(filepath.Join(s.dir, "alerts", "*"))
	if err != nil || len(folders) != want {
		s.Errorf("folders %v, %v", folders, err)
	}
}

func TestPreparedFilesOfPartitionsThatChangedSinceAreForgotten(t *testing.T) {
	s := newSite(t)
	s.alerts(alert("a", day(0)), alert("b", day(1)))
	prepared := s.prepare(0)
	if err := prepared.Add(s.prepare(1)); err != nil {
		t.Fatal(err)
	}
	s.alerts(alert("c", day(1)))
	if err := prepared.Forget(schema.Alerts(), []time.Time{day(1)}); err != nil {
		t.Fatal(err)
	}
	o := options(s.dir)
	o.Prepared = prepared
	if err := s.attempt(o); err != nil {
		t.Fatal(err)
	}
	s.checkManifest()
	s.checkRows("prepared")
}

func TestWhatIsNotDueIsNotInstalled(t *testing.T) {
	s := newSite(t)
	s.alerts(alert("a", day(0)))
	s.publish()
	before := s.files()
	o := options(s.dir)
	o.Prepared = s.prepare(0, 7)
	if err := s.attempt(o); err != nil {
		t.Fatal(err)
	}
	if got := s.rewritten(before); len(got) != 0 || len(s.files()) != len(before) {
		t.Errorf("written again: %v, there are %v", got, s.files())
	}
	s.checkFolders(1)
}

func TestDiscardedFilesLeaveNothing(t *testing.T) {
	s := newSite(t)
	s.alerts(alert("a", day(0)))
	prepared := s.prepare(0)
	if len(s.files()) != 1 {
		t.Errorf("prepared: %v", s.files())
	}
	for range 2 {
		if err := prepared.Discard(); err != nil {
			t.Error(err)
		}
	}
	if len(s.files()) != 0 {
		t.Errorf("left: %v", s.files())
	}
	s.checkFolders(0)
}

func TestPreparedFilesOfACrashAreSwept(t *testing.T) {
	s := newSite(t)
	s.alerts(alert("a", day(0)), alert("b", day(1)))
	_ = s.prepare(0, 1) // and forgotten, as by a crash
	if err := durable.Sweep(s.dir); err != nil {
		t.Fatal(err)
	}
	s.publish()
	if got, want := s.parquet(), alertFile(0)+" "+alertFile(1); got != want {
		t.Errorf("files %s, want %s", got, want)
	}
}

// Rows lie in the warehouse as they came. Files have them in order, whether DuckDB
// needs not sort them, sorts them at once, or has too many of them.
func TestRowsAreInOrderHoweverTheyLie(t *testing.T) {
	for name, count := range map[string]int{"few": 3000, "some": 6000, "many": 25_000} {
		for how, id := range map[string]func(i int) string{
			"in order":         func(i int) string { return fmt.Sprintf("%06d", i) },
			"ids out of order": func(i int) string { return fmt.Sprintf("%06d", i^1) },
		} {
			for _, late := range []bool{false, true} {
				if count > 20_000 && late != (how == "ids out of order") {
					continue // they take long
				}
				t.Run(fmt.Sprint(name, " ", how, " late ", late), func(t *testing.T) {
					s := newSite(t)
					var rows []values
					for i := range count {
						rows = append(rows, alert(id(i), day(0).Add(time.Duration(i/2)*time.Second)))
					}
					s.alerts(rows...)
					if late {
						s.alerts(alert("late", day(0)), alert("later", day(0).Add(time.Hour)))
					}
					s.publish()
					s.checkManifest()
					s.checkRows(name)
				})
			}
		}
	}
}

// What DuckDB has no memory for is written all the same.
func TestRowsTooLargeForDuckDB(t *testing.T) {
	dir := t.TempDir()
	w, err := load.Open(context.Background(), load.Options{Dir: dir, MemoryLimit: "60MB", Lake: os.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	s := &site{TB: t, Warehouse: w, dir: filepath.Join(dir, "lake")}
	for part := range 10 {
		var rows []values
		for i := range 500 {
			row := alert(fmt.Sprintf("%06d", part*500+i), day(0).Add(time.Duration(part*500+i)*time.Second))
			row["message"] = strings.Repeat(fmt.Sprint(i, " "), 3000)
			rows = append(rows, row)
		}
		s.alerts(rows...)
	}
	s.publish()
	s.checkManifest()
	if by := s.createdBy(0); by != "flashback-sync test" {
		t.Errorf("created by %q: DuckDB had memory enough", by)
	}
}

func (s *site) createdBy(n int) string {
	s.Helper()
	reader, _ := openParquet(s, filepath.Join(s.dir, filepath.FromSlash(alertFile(n))))
	defer func() { _ = reader.Close() }()
	return reader.MetaData().GetCreatedBy()
}

func TestTheSameRowsMakeTheSameFile(t *testing.T) {
	s := newSite(t)
	s.alerts(oddAlerts()...)
	s.publish()
	again := s.elsewhere(t)
	again.publish()
	if first, second := s.manifest().Files[0], again.manifest().Files[0]; first != second {
		t.Errorf("%+v and %+v", first, second)
	}
}

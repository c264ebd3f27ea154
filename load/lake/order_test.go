package lake_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/flashback-sync/flashback-sync/load"
)

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

package lake_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Rows are stored as they came; files have them in order.
func TestFilesAreSortedWhateverTheOrderOfCommits(t *testing.T) {
	s := newSite(t)
	var rows []values
	for i := range 6000 {
		rows = append(rows, alert(fmt.Sprintf("%06d", i^1), day(0).Add(time.Duration(6000-i/2)*time.Second)))
	}
	s.alerts(rows...)
	s.alerts(alert("late", day(0)), alert("later", day(0).Add(time.Hour)))
	s.publish()
	s.checkManifest()
	s.checkRows()
}

// Rows that need more memory than DuckDB has at first are written with more, and in row
// groups that fit.
func TestRowsTooLargeForTheFirstMemoryLimit(t *testing.T) {
	s := newSite(t)
	for part := range 10 {
		var rows []values
		for i := range 500 {
			row := alert(fmt.Sprintf("%06d", part*500+i), day(0).Add(time.Duration(part*500+i)*time.Second))
			row["message"] = strings.Repeat(fmt.Sprint(i, " "), 7500)
			rows = append(rows, row)
		}
		s.alerts(rows...)
	}
	s.publish()
	s.checkManifest()
	reader, _ := openParquet(s, filepath.Join(s.dir, filepath.FromSlash(alertFile(0))))
	defer func() { _ = reader.Close() }()
	if most := reader.MetaData().RowGroup(0).NumRows(); reader.NumRows() != 5000 || most > 2048 {
		t.Errorf("%d rows in groups of %d: DuckDB had memory enough", reader.NumRows(), most)
	}
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

package lake_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/flashback-sync/flashback-sync/schema"
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
	groups := duckDB(t, fmt.Sprintf("SELECT sum(n), max(n) FROM (SELECT max(row_group_num_rows) AS n FROM parquet_metadata(%s) GROUP BY row_group_id)",
		schema.Literal(filepath.Join(s.dir, filepath.FromSlash(alertFile(0))))))
	if rows, most := fmt.Sprint(groups[0][0]), groups[0][1].(int64); rows != "5000" || most > 2048 {
		t.Errorf("%s rows in groups of %d: DuckDB had memory enough", rows, most)
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

package run_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/flashback-sync/flashback-sync/load/snapshot"
	"github.com/flashback-sync/flashback-sync/schema"
)

// former has what earlier layouts promised; see its README.md.
const former = "testdata/former"

func TestQueriesOfFormerReleasesStillRun(t *testing.T) {
	t.Parallel()
	w := upgradeWorld(t)
	w.upgraded()
	db := open(t, filepath.Join(w.dir, snapshot.Name))
	defer func() { _ = db.Close() }()
	recorded, err := filepath.Glob(filepath.Join(former, "layout-*.columns"))
	if err != nil || !slices.Contains(recorded, filepath.Join(former, fmt.Sprintf("layout-%d.columns", schema.Version))) {
		t.Fatalf("this layout is not recorded: %v, %v", recorded, err)
	}
	for _, file := range recorded {
		layout := strings.TrimSuffix(file, ".columns")
		columns, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(columns)) {
			var table, column, kind string
			if _, err := fmt.Sscan(line, &table, &column, &kind); err != nil {
				t.Fatalf("%q: %v", line, err)
			}
			var now string
			err := db.QueryRow("SELECT data_type FROM duckdb_columns() WHERE schema_name || '.' || table_name = ? AND column_name = ?", table, column).Scan(&now)
			if want := strings.ReplaceAll(kind, "TIMESTAMPTZ", "TIMESTAMP WITH TIME ZONE"); err != nil || now != want {
				t.Errorf("%s: %s.%s is %q, was %q: %v", layout, table, column, now, want, err)
			}
		}
		queries, err := os.ReadFile(layout + ".sql")
		if err != nil {
			t.Fatal(err)
		}
		for query := range strings.SplitSeq(strings.TrimSpace(string(queries)), ";\n") {
			if _, err := db.Exec(query); err != nil {
				t.Errorf("%s: %s: %v", layout, query, err)
			}
		}
	}
}

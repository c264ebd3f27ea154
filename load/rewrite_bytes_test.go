package load_test

import (
	"bytes"
	"database/sql"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/flashback-sync/flashback-sync/load"
)

// canary is in every text that must go.
const canary = "Ada Lovelace pasted a customer list"

// withCanaries makes a warehouse that is larger than DuckDB's memory. Every second row has the
// canary, uncompressed.
func withCanaries(t testing.TB, rows int) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := kept(t, dir, alert{"first", epoch, "stays"}).Close(); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("duckdb", load.File(dir))
	if err != nil {
		t.Fatal(err)
	}
	_, err = db.Exec(fmt.Sprintf(`SET force_compression = 'uncompressed';
		INSERT INTO alerts BY NAME SELECT n::VARCHAR AS id, TIMESTAMPTZ '2024-01-01 00:00:00Z' + to_seconds(60 * n) AS timestamp, CAST(timestamp AS DATE) AS date,
			CASE n %% 2 WHEN 1 THEN '%s ' ELSE 'an ordinary text that is to stay as it is ' END || n || ' ' || md5(n::VARCHAR) || repeat(md5((n + 1)::VARCHAR), 10) AS message,
			'run-1' AS _run_id, timestamp AS _first_synced_at, timestamp AS _last_changed_at FROM range(%d) r(n);
		CHECKPOINT`, canary, rows))
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if got := canaries(t, dir); got < rows/2 {
		t.Fatalf("%d canaries in the file, want at least %d", got, rows/2)
	}
	return dir
}

// canaries counts them in all bytes of all files.
func canaries(t testing.TB, dir string) (found int) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		content, err := os.ReadFile(path)
		found += bytes.Count(content, []byte(canary))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// DuckDB writes unused parts of its blocks as they are in memory: nothing of what it read
// before may be there.
func TestRewriteLeavesNoByteOfWhatWasLeftOut(t *testing.T) {
	const rows = 400_000
	for name, r := range map[string]load.Rewriting{
		"rows":    {Where: map[string]string{"alerts": "NOT contains(message, '" + canary + "')"}},
		"columns": {Columns: map[string]map[string]string{"alerts": {"message": "CASE WHEN contains(message, '" + canary + "') THEN 'blank' ELSE message END"}}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := withCanaries(t, rows)
			w := open(t, dir)
			done := rewrite(t, w, r)
			if done.Removed["alerts"]+done.Changed["alerts"] != rows/2 {
				t.Errorf("%+v", done)
			}
			commit(t, w, "run-2", many(t, 500, 20_000))
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			if got := canaries(t, dir); got > 0 {
				t.Errorf("%d canaries are left", got)
			}
		})
	}
}

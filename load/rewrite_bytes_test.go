package load_test

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"

	"github.com/flashback-sync/flashback-sync/load"
	"github.com/flashback-sync/flashback-sync/load/rewrite"
)

// canary is in every text that must go.
const canary = "Ada Lovelace pasted a customer list"

// withCanaries makes a warehouse that is larger than DuckDB's memory. Two of three rows have
// the canary, uncompressed.
func withCanaries(t *testing.T, rows int) (dir string) {
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
			CASE n %% 3 WHEN 0 THEN 'an ordinary text that is to stay as it is ' ELSE '%s ' END || md5(n::VARCHAR) || repeat(md5((n + 1)::VARCHAR), 10) AS message,
			'run-1' AS _run_id, timestamp AS _first_synced_at, timestamp AS _last_changed_at FROM range(%d) r(n);
		CHECKPOINT`, canary, rows))
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if got := canaries(t, dir); got < rows/3*2 {
		t.Fatalf("%d canaries in the file of %d rows", got, rows)
	}
	return dir
}

// canaries counts them in all bytes of all files.
func canaries(t *testing.T, dir string) (found int) {
	t.Helper()
	for _, content := range tree(t, dir) {
		found += strings.Count(content, canary)
	}
	return found
}

// DuckDB writes unused parts of its blocks as they are in memory: nothing of what it read
// before may be there.
func TestRewriteLeavesNoByteOfWhatWasLeftOut(t *testing.T) {
	unraced(t)
	const rows = 300_000
	dir := withCanaries(t, rows)
	w := open(t, dir)
	done := rewritten(t, w, rewrite.Changes{
		Where:   map[string]string{"alerts": "TRY_CAST(id AS INTEGER) % 3 IS DISTINCT FROM 1"},
		Columns: map[string]map[string]string{"alerts": {"message": "CASE WHEN contains(message, '" + canary + "') THEN 'blank' ELSE message END"}},
	})
	if done.Removed["alerts"] != rows/3 || done.Changed["alerts"] != rows/3 {
		t.Errorf("%+v", done)
	}
	if got := one(t, w.Conn(), "SELECT free_blocks FROM pragma_database_size() WHERE database_name = current_database()"); got != "0" {
		t.Errorf("%s free blocks", got)
	}
	commit(t, w, "run-2", many(t, 500, 20_000))
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if got := canaries(t, dir); got > 0 {
		t.Errorf("%d canaries are left", got)
	}
}

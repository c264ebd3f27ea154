package load_test

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/flashback-sync/flashback-sync/load"
	"github.com/flashback-sync/flashback-sync/load/duckdb"
	"github.com/flashback-sync/flashback-sync/schema"
)

// manyRows is a closed warehouse of some megabytes.
func manyRows(t *testing.T) (dir string, content []byte) {
	t.Helper()
	dir = t.TempDir()
	takeOver(t, dir)
	edit(t, load.File(dir), `INSERT INTO alerts (id, "timestamp", message, _first_synced_at, _last_changed_at, _run_id)
		SELECT md5(range::VARCHAR), TIMESTAMPTZ '2024-01-01' + to_seconds(range), md5((range + 7)::VARCHAR), now(), now(), 'r' FROM range(60000)`)
	content, err := os.ReadFile(load.File(dir))
	if err != nil {
		t.Fatal(err)
	}
	return dir, content
}

// edit changes a DuckDB file by hand.
func edit(t *testing.T, path, statement string) {
	t.Helper()
	db, err := sql.Open("duckdb", path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(statement); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

// One byte flipped anywhere in a block that is used is noticed when the file is
// opened, whether DuckDB would read that block or not.
func TestAFlippedByteInAnyBlockIsNoticed(t *testing.T) {
	dir, content := manyRows(t)
	takeOver(t, dir)
	path := load.File(dir)
	noticed, blocks := 0, 0
	for at := 3*4096 + 100; at < len(content); at += 262144 {
		flipped := append([]byte(nil), content...)
		flipped[at] ^= 0x40
		if err := os.WriteFile(path, flipped, 0o600); err != nil {
			t.Fatal(err)
		}
		blocks++
		var damaged *duckdb.DamagedError
		w, err := load.Open(context.Background(), load.Options{Dir: dir})
		if errors.As(err, &damaged) {
			noticed++
		} else if err != nil {
			t.Errorf("block %d: %v", blocks, err)
		} else if err := w.Close(); err != nil {
			t.Error(err)
		}
	}
	if blocks < 8 || noticed < blocks/2 { // some blocks are free
		t.Errorf("%d of %d noticed", noticed, blocks)
	}
}

func TestAFileCutByAByteIsNoticedAtOnce(t *testing.T) {
	dir, content := manyRows(t)
	for _, by := range []int{1, 4096, 262144, len(content) / 2} {
		if err := os.WriteFile(load.File(dir), content[:len(content)-by], 0o600); err != nil {
			t.Fatal(err)
		}
		var damaged *duckdb.DamagedError
		if _, err := load.Open(context.Background(), load.Options{Dir: dir}); !errors.As(err, &damaged) {
			t.Errorf("cut by %d: %v", by, err)
		}
	}
}

// A power cut may leave a log whose first transaction is not whole. DuckDB skips
// it, and would leave it there indefinitely.
func TestEmptyLogIsRemoved(t *testing.T) {
	dir := t.TempDir()
	takeOver(t, dir)
	w, err := load.Open(context.Background(), load.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.MarkChanged(context.Background(), schema.Alerts(), make([]time.Time, 40)); err != nil {
		t.Fatal(err)
	}
	log, err := os.ReadFile(load.File(dir) + ".wal")
	if err != nil || len(log) < 100 {
		t.Fatal(len(log), err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	for _, length := range []int{1, 13, 70, 90} {
		if err := os.WriteFile(load.File(dir)+".wal", log[:length], 0o600); err != nil {
			t.Fatal(err)
		}
		w, err := load.Open(context.Background(), load.Options{Dir: dir})
		if err != nil {
			t.Fatalf("%d bytes: %v", length, err)
		}
		if err := errors.Join(w.CloseFile(context.Background()), w.Close()); err != nil {
			t.Error(err)
		}
		if info, err := os.Stat(load.File(dir) + ".wal"); err == nil {
			t.Errorf("of a log of %d bytes %d are left", length, info.Size())
		}
	}
}

package load_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/flashback-sync/flashback-sync/load"
	"github.com/flashback-sync/flashback-sync/load/duckdb"
)

// Whatever the folder is called, trouble with the disk is no damage.
func TestDiskFailuresAreNotReportedAsDamage(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]string{
		"permission": "openat:error=EACCES:when=1+", "descriptors": "openat:error=EMFILE:when=1+", "read-only": "openat:error=EROFS:when=3+",
		"first_read": "read:error=EIO:when=1", "later_read": "pread64:error=EIO:when=3", "last_open": "openat:error=EACCES:when=5",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			place := func(dir string) string { return filepath.Join(dir, "corrupt WAL checksum, version number") }
			if !alone(t, func(dir string) []string {
				return injecting(load.File(place(dir)), fault)
			}) {
				return
			}
			dir := place(os.Getenv(aloneDir))
			if err := os.Rename(placed(t, filled(t), nil), dir); err != nil {
				t.Fatal(err)
			}
			_, err := load.Open(context.Background(), load.Options{Dir: dir})
			var damaged *duckdb.DamagedError
			var storage *duckdb.StorageError
			if !errors.As(err, &storage) || errors.As(err, &damaged) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%T: %v", err, err)
			}
		})
	}
}

// A full disk is no damage, and the file that was left opens when there is room.
func TestFullDiskAtOpeningIsNotReportedAsDamage(t *testing.T) {
	t.Parallel()
	if !alone(t, mounting) {
		return
	}
	file, log := crashed(t)
	dir := mount(t, "40m")
	putWarehouse(t, dir, file, log)
	full := fill(t, dir)
	w, err := load.Open(context.Background(), load.Options{Dir: dir})
	if err == nil { // nothing had to be written yet
		_, err = w.Commit(context.Background(), load.Commit{RunID: "run-2", Stream: "alerts", Rows: []load.Rows{many(t, 9, 2000)}})
		_ = w.Close()
	}
	var storage *duckdb.StorageError
	var damaged *duckdb.DamagedError
	if !errors.As(err, &storage) || errors.As(err, &damaged) || !storage.Permanent {
		t.Errorf("%v", err)
	}
	if err := os.Remove(full); err != nil {
		t.Fatal(err)
	}
	_ = open(t, dir).Close()
	if got := query(t, dir, "SELECT count(*) FROM alerts"); got != "900" {
		t.Errorf("%s rows", got)
	}
}

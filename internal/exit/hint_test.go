package exit_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/flashback-sync/flashback-sync/internal/exit"
	"github.com/flashback-sync/flashback-sync/load/duckdb"
)

// To rebuild a newer release's warehouse would throw away what only it knows.
func TestOnlyADamagedFileIsToBeRebuilt(t *testing.T) {
	t.Parallel()
	rebuild := func(err error) bool { return strings.Contains(exit.Hint(err), "repair --rebuild") }
	if damaged := (&duckdb.DamagedError{Path: "x", Reason: "flipped"}); !rebuild(damaged) || !rebuild(&duckdb.StorageError{Doing: "read", Err: damaged}) {
		t.Error("no way out of damage is named")
	}
	if rebuild(&duckdb.DamagedError{Path: "x", Reason: "newer", Newer: true}) || rebuild(&duckdb.StorageError{Doing: "write"}) {
		t.Error("a rebuild is suggested for a file that is well")
	}
}

func TestHintsOfStorageAreByCause(t *testing.T) {
	t.Parallel()
	at := func(number error) error {
		return fmt.Errorf("publish: %w", &fs.PathError{Op: "write", Path: "/", Err: number})
	}
	for name, test := range map[string]struct {
		err  error
		want string
	}{
		"full":           {at(syscall.ENOSPC), "free disk space"},
		"quota":          {at(syscall.EDQUOT), "free disk space"},
		"full, DuckDB":   {errors.New(`IO Error: Could not write file "/Permission denied/x": No space left on device`), "free disk space"},
		"permission":     {at(syscall.EACCES), "/ is yours"},
		"not permitted":  {at(syscall.EPERM), "/ is yours"},
		"read-only":      {at(syscall.EROFS), "mounted read-only"},
		"disk":           {at(syscall.EIO), "the disk fails"},
		"locked, DuckDB": {errors.New(`IO Error: Could not set lock on file "/x": Conflicting lock is held in python3 (PID 7)`), "open it read-only"},
		"foreign":        {errors.New(`IO Error: The file "/x" exists, but it is not a valid DuckDB database file`), "'flashback-sync repair' publishes it again"},
		"damaged":        {errors.New("IO Error: Corrupt database file: computed checksum 1 does not match stored checksum 2"), "'flashback-sync repair' publishes it again"},
		"memory":         {errors.New("Out of Memory Error: failed to pin block"), "free memory"},
		"anything else":  {errors.New("a riddle"), "check data_dir"},
	} {
		if os.Geteuid() != 0 && strings.Contains(test.want, "yours") {
			test.want = "/ belongs to root, you are "
		}
		if got := exit.Hint(&duckdb.StorageError{Doing: "write", Err: test.err}); !strings.Contains(got, test.want) {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}

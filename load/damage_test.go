package load_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/flashback-sync/flashback-sync/load"
	"github.com/flashback-sync/flashback-sync/load/duckdb"
	"github.com/flashback-sync/flashback-sync/schema"
)

// A DuckDB file is three headers and then blocks.
const (
	headers   = 3 * 4096
	blockSize = 256 << 10
)

// Fault 48: what is damaged is called so and left as it is.
func TestADamagedFileIsLeftUntouched(t *testing.T) {
	good := filled(t)
	cases := map[string][]byte{}
	for _, at := range []int{0, 7, 8, 12, 20, 100, 4095, 4096, 5000, 8192, 8200, headers - 1, headers + 20, headers + blockSize + 20} {
		cases[fmt.Sprintf("byte %d flipped", at)] = flipped(good, at)
	}
	for _, length := range []int{0, 5, 12, 100, 4096, headers - 1, headers, headers + 100, headers + blockSize, len(good) - blockSize, len(good) - 1} {
		cases[fmt.Sprintf("cut to %d", length)] = good[:length]
	}
	cases["zeros"] = make([]byte, len(good))
	cases["older storage"] = storageVersion(good, 3)
	for name, content := range cases {
		t.Run(name, func(t *testing.T) {
			dir := placed(t, content, nil)
			if damaged := refused(t, dir); damaged.Newer {
				t.Errorf("taken for a newer release's: %v", damaged)
			}
		})
	}
}

// Fault 49: a newer release's file is as good as gone if it is called damaged.
func TestFileOfANewerReleaseIsReportedAsNewer(t *testing.T) {
	good := filled(t)
	for name, content := range map[string][]byte{
		"storage":      storageVersion(good, 69),
		"much later":   storageVersion(good, 1<<40),
		"later schema": schemaVersion(t, good, "999"),
	} {
		t.Run(name, func(t *testing.T) {
			if damaged := refused(t, placed(t, content, nil)); !damaged.Newer {
				t.Errorf("not taken for a newer release's: %v", damaged)
			}
		})
	}
	for _, version := range []string{"x", "", "0", "-1"} {
		if damaged := refused(t, placed(t, schemaVersion(t, good, version), nil)); damaged.Newer {
			t.Errorf("schema version %q is taken for a newer release's: %v", version, damaged)
		}
	}
}

// DuckDB takes a log whose first bytes it cannot read for one cut off by a crash,
// and would drop what was committed to it.
func TestADamagedLogIsLeftUntouched(t *testing.T) {
	good, log := crashed(t)
	cases := map[string][]byte{
		"text": []byte("hello"), "garbage": bytes.Repeat([]byte("garbage "), 4000), "a database": good,
		"zeros follow": append(bytes.Clone(log), make([]byte, 5000)...),
	}
	for _, at := range []int{0, 1, 2, 3, 4, 5, 30, 60, 1000, len(log) / 2, len(log) - 10} {
		cases[fmt.Sprintf("byte %d flipped", at)] = flipped(log, at)
	}
	for name, content := range cases {
		t.Run(name, func(t *testing.T) {
			if damaged := refused(t, placed(t, good, content)); damaged.Newer {
				t.Errorf("taken for a newer release's: %v", damaged)
			}
		})
	}
	newer := bytes.Clone(log)
	newer[5] = 9
	if damaged := refused(t, placed(t, good, newer)); !damaged.Newer {
		t.Errorf("not taken for a newer release's: %v", damaged)
	}
}

func TestLogCutOffByACrashIsNotReportedAsDamage(t *testing.T) {
	good, log := crashed(t)
	for _, length := range []int{0, 1, 5, 6, 20, 100, 1000, len(log) / 2, len(log) - 21, len(log) - 1, len(log)} {
		dir := placed(t, good, log[:length])
		w, err := load.Open(context.Background(), load.Options{Dir: dir})
		if err != nil {
			t.Errorf("cut to %d: %v", length, err)
			continue
		}
		if days, err := w.Changed(context.Background(), schema.Alerts()); err != nil || (length == len(log)) != (len(days) == 3) {
			t.Errorf("cut to %d: %d days, %v", length, len(days), err)
		}
		_ = w.Close()
	}
	zeros := placed(t, good, make([]byte, 100)) // its size was written, its content was not
	_ = open(t, zeros).Close()
}

// A block that goes bad while the file is open is found when it is read.
func TestDamageFoundLaterIsReportedAsDamage(t *testing.T) {
	ctx := context.Background()
	good := filled(t)
	found := 0
	for at := headers; at < len(good); at += blockSize {
		dir := placed(t, good, nil)
		w, err := load.Open(ctx, load.Options{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		file, err := os.OpenFile(load.File(dir), os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := file.WriteAt([]byte{good[at+20] ^ 1}, int64(at+20)); err != nil {
			t.Fatal(err)
		}
		_ = file.Close()
		var damaged *duckdb.DamagedError
		_, committing := w.Commit(ctx, load.Commit{RunID: "run-2", Stream: "alerts", Rows: []load.Rows{many(t, 1, 100)}})
		_, settling := w.Dedupe(ctx, "run-2", schema.Alerts())
		for _, err := range []error{committing, settling, readAll(w, dir), w.CloseFile(ctx)} {
			if err == nil {
				continue
			}
			found++
			if !errors.As(err, &damaged) || strings.Contains(err.Error(), "\n") {
				t.Errorf("block at %d: not called damage, in a line: %v", at, err)
			}
		}
		_ = w.Close()
	}
	if found == 0 {
		t.Error("no damage showed")
	}
}

// A run that cannot go on ends where it is, whatever is tried after it.
func TestDamageFoundWhileRecoveringEndsTheRun(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	w := open(t, dir)
	commit(t, w, "run-1", many(t, 0, 10))
	if err := w.CloseFile(ctx); err != nil {
		t.Fatal(err)
	}
	overwrite(t, load.File(dir), flipped(contents(t, load.File(dir)), 100))
	var storage *duckdb.StorageError
	var damaged *duckdb.DamagedError
	if err := w.Recover(ctx); !errors.As(err, &storage) || !errors.As(err, &damaged) || !storage.Permanent {
		t.Errorf("%v", err)
	}
	if _, err := w.Dedupe(ctx, "run-1", schema.Alerts()); !errors.As(err, &storage) {
		t.Errorf("a closed warehouse answers %v", err)
	}
	if _, err := w.Changed(ctx, schema.Alerts()); !errors.As(err, &storage) {
		t.Errorf("a closed warehouse answers %v", err)
	}
}

// readAll reads every row, as a publisher does.
func readAll(w *load.Warehouse, dir string) error {
	if err := os.MkdirAll(filepath.Join(dir, "lake"), 0o750); err != nil {
		return err
	}
	_, _, _, err := w.Copy(context.Background(), schema.Alerts(), epoch, epoch.AddDate(1, 0, 0), filepath.Join(dir, "lake", "all.parquet"), "FORMAT parquet")
	return err
}

// filled makes a warehouse of some blocks and returns the file.
func filled(t *testing.T) []byte {
	t.Helper()
	dir := t.TempDir()
	w := open(t, dir)
	for day := range 3 {
		commit(t, w, "run-1", many(t, day, 2000))
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return contents(t, load.File(dir))
}

// crashed returns a warehouse's file and log as a crash after three commits
// leaves them.
func crashed(t *testing.T) (file, log []byte) {
	t.Helper()
	dir := t.TempDir()
	w := open(t, dir)
	for day := range 3 {
		commit(t, w, "run-1", many(t, day, 300))
	}
	return contents(t, load.File(dir)), contents(t, load.File(dir)+".wal")
}

func contents(t *testing.T, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// many makes rows of one day whose text does not compress.
func many(t testing.TB, day, rows int) load.Rows {
	alerts := make([]alert, rows)
	for i := range alerts {
		text := ""
		for j := range 8 {
			text += fmt.Sprintf("%x", uint64(day*rows+i+1)*uint64(j+3)*0x9e3779b97f4a7c15)
		}
		alerts[i] = alert{fmt.Sprintf("%d-%d", day, i), epoch.AddDate(0, 0, day).Add(time.Duration(i) * time.Second), text}
	}
	return batch(t, alerts...)
}

// placed makes a data_dir that holds the file, and the log if there is one.
func placed(t *testing.T, file, log []byte) (dir string) {
	t.Helper()
	dir = t.TempDir()
	putWarehouse(t, dir, file, log)
	return dir
}

func putWarehouse(t *testing.T, dir string, file, log []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Join(dir, "state"), 0o750); err != nil {
		t.Fatal(err)
	}
	overwrite(t, load.File(dir), file)
	if log != nil {
		overwrite(t, load.File(dir)+".wal", log)
	}
}

func flipped(content []byte, at int) []byte {
	content = bytes.Clone(content)
	content[at] ^= 0xff
	return content
}

// storageVersion gives a file another storage version and the checksum for it.
func storageVersion(file []byte, version uint64) []byte {
	file = bytes.Clone(file)
	binary.LittleEndian.PutUint64(file[12:], version)
	sum := uint64(5381)
	for at := 8; at < 4096; at += 8 {
		sum ^= binary.LittleEndian.Uint64(file[at:]) * 0xbf58476d1ce4e5b9
	}
	binary.LittleEndian.PutUint64(file, sum)
	return file
}

func schemaVersion(t *testing.T, file []byte, version string) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	overwrite(t, path, file)
	db, err := duckdb.Open(path, duckdb.Session{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec("UPDATE internal.meta SET value = ? WHERE key = 'schema_version'", version); err != nil {
		t.Fatal(err)
	}
	_ = db.Close()
	return contents(t, path)
}

// refused opens the warehouse, which has to be called damaged and left alone.
func refused(t *testing.T, dir string) *duckdb.DamagedError {
	t.Helper()
	before := stateOf(t, dir)
	w, err := load.Open(context.Background(), load.Options{Dir: dir})
	if err == nil {
		_ = w.Close()
	}
	var damaged *duckdb.DamagedError
	if !errors.As(err, &damaged) || strings.Contains(err.Error(), "\n") {
		t.Errorf("opened, or another error, or more than a line: %v", err)
		damaged = &duckdb.DamagedError{}
	}
	after := stateOf(t, dir)
	delete(after, "lock")
	for name := range before {
		if before[name] != after[name] {
			t.Errorf("%s was changed", name)
		}
	}
	if len(before) != len(after) {
		t.Errorf("%d files became %d", len(before), len(after))
	}
	return damaged
}

// stateOf reads every file below state/.
func stateOf(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	paths, _ := filepath.Glob(filepath.Join(dir, "state", "*"))
	for _, path := range paths {
		if info, err := os.Stat(path); err == nil && info.IsDir() {
			continue
		}
		files[filepath.Base(path)] = string(contents(t, path))
	}
	return files
}

package torture

import (
	"crypto/sha256"
	"database/sql"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// block is DuckDB's unit of storage; the file begins with three headers of 4096.
const block = 256 << 10

// damaged is a world whose warehouse can be spoiled again and again.
type damaged struct {
	*world
	base   string
	before map[string]int
}

func newDamaged(t *testing.T, w *world) *damaged {
	t.Helper()
	d := &damaged{world: w}
	d.base = filepath.Join(d.dir, "base")
	d.useFolder(d.base)
	dice := rand.New(rand.NewPCG(4, 0))
	for range 3 { // a file with blocks that were freed and used again
		d.sync()
		d.change(dice)
	}
	reader := d.analyst()
	if err := reader.read(); err != nil {
		t.Fatal(err)
	}
	d.before = reader.stored
	return d
}

// spoil makes data_dir anew and does something to the warehouse.
func (d *damaged) spoil(t *testing.T, how func(path string) error) {
	t.Helper()
	d.t = t
	d.useFolder(filepath.Join(d.dir, "data"))
	err := errors.Join(os.RemoveAll(d.data), os.CopyFS(d.data, os.DirFS(d.base)))
	if err == nil {
		err = how(d.private())
	}
	if err != nil {
		t.Fatal(err)
	}
}

// readable says whether analysts still have what they had.
func (d *damaged) readable() error {
	reader := d.analyst()
	for table, rows := range d.before {
		reader.stored[table] = rows
	}
	return reader.read()
}

func sumOf(t *testing.T, path string) [sha256.Size]byte {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return sha256.Sum256(content)
}

func execute(path, statement string) error {
	db, err := sql.Open("duckdb", path)
	if err != nil {
		return err
	}
	_, err = db.Exec(statement)
	return errors.Join(err, db.Close())
}

func truncate(size func(whole int64) int64) func(path string) error {
	return func(path string) error {
		file, err := os.Stat(path)
		if err != nil {
			return err
		}
		return os.Truncate(path, size(file.Size()))
	}
}

func TestADamagedWarehouseIsLeftAsItIs(t *testing.T) {
	t.Parallel()
	d := newDamaged(t, newWorld(t, 14))
	replace := func(content string) func(path string) error {
		return func(path string) error { return os.WriteFile(path, []byte(content), 0o640) }
	}
	for _, c := range []struct {
		name  string
		spoil func(path string) error
	}{
		{"cut to nothing", truncate(func(int64) int64 { return 0 })},
		{"cut to 100 bytes", truncate(func(int64) int64 { return 100 })},
		{"cut to its headers", truncate(func(int64) int64 { return 3 * 4096 })},
		{"cut in half", truncate(func(whole int64) int64 { return whole / 2 })},
		{"cut by one block", truncate(func(whole int64) int64 { return whole - block })},
		{"cut by one byte", truncate(func(whole int64) int64 { return whole - 1 })},
		{"a text file", replace(strings.Repeat("This is no database.\n", 10_000))},
		{"zeros", replace(strings.Repeat("\x00", 1<<20))},
		{"another DuckDB file", func(path string) error {
			return errors.Join(os.Remove(path), execute(path, "CREATE TABLE theirs (x INT)"))
		}},
		{"from a newer release", func(path string) error {
			return execute(path, "UPDATE internal.meta SET value = '999' WHERE key = 'schema_version'")
		}},
		{"of no known release", func(path string) error {
			return execute(path, "DELETE FROM internal.meta WHERE key = 'schema_version'")
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d.spoil(t, c.spoil)
			before, asked := sumOf(t, d.private()), d.sim.RequestCount()
			r := d.run("sync")
			said := complaint(r.stderr)
			if r.code != 8 || !toldClearly(said) {
				t.Errorf("exit %d, want 8\n%.600s", r.code, said)
			}
			if sumOf(t, d.private()) != before {
				t.Errorf("the file was changed")
			}
			if d.sim.RequestCount() != asked {
				t.Errorf("the source was asked")
			}
			// What a newer release wrote is not damaged, and must not be made again.
			if newer := strings.Contains(c.name, "newer"); strings.Contains(said, "repair --rebuild") == newer {
				t.Errorf("the hint does not say what to do:\n%s", said)
			}
			if err := d.readable(); err != nil {
				t.Errorf("a reader was disturbed: %v", err)
			}
		})
	}
}

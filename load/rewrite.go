package load

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/flashback-sync/flashback-sync/load/duckdb"
	"github.com/flashback-sync/flashback-sync/load/durable"
)

// former is the name of the old file in the queries of a rewriting.
const former = "old"

// Function is a scalar SQL function over texts that a Rewriting may use; a nil is NULL. Its
// result must depend on its arguments only: it is called more or less than once a row. One
// goroutine at a time calls it.
type Function struct {
	Arguments int
	Call      func(arguments []*string) *string
}

// Rewriting says what the new file has that the old one does not. A table is named as in
// package schema, a private one as internal.NAME. Expressions are SQL over the columns of
// the old row; they must give the same result each time, and may read what Before made.
type Rewriting struct {
	// Functions are known to SQL by their name, in this rewriting only.
	Functions map[string]Function
	// Where is by table the condition that a row must meet to stay. A row for which it is
	// NULL does not stay. A table that is not named keeps all rows.
	Where map[string]string
	// Columns is by table and column the expression of the new value. The column that dates
	// a row, and the partition column that follows from it, cannot be changed.
	Columns map[string]map[string]string
	// Before runs first, for temporary tables that Where and Columns read. It may read the
	// old tables as old.main.NAME and old.internal.NAME. Nil: nothing.
	Before func(ctx context.Context, tx *sql.Tx) error
	// Then runs last in the transaction that fills the new file. It sees neither the old
	// tables nor those of Before, nor Functions. Nil: nothing.
	Then func(ctx context.Context, tx *sql.Tx) error
}

// Rewritten is what a Rewrite did, in rows by table. A changed row has another value in a
// column that was named; tables without such a row are not listed.
type Rewritten struct{ Removed, Changed map[string]int64 }

// Rewrite makes the private file anew: what is left out or changed is in no byte of the new
// one, while DELETE and UPDATE would leave it in free blocks. Rows keep their order and
// every column that is not named. The partitions of rows that are left out or changed are
// listed as changed, and Unpublished marks that the published files are older. Derived
// tables are copied like others: whoever removes a value from the rows of the source names
// the derived tables that have it too, since Derive deletes their rows in place.
//
// The new file is written beside the old one and renamed over it when it is complete, so
// that a crash leaves one or the other. It takes up to twice the space of the old one. The
// warehouse is closed meanwhile, with its lock held, and open again afterwards. After an
// error it is open with the old file, unless the folder could not be fsynced after the
// rename. If memory did not suffice, everything is done once more, Before and Then included.
func (w *Warehouse) Rewrite(ctx context.Context, r Rewriting) (Rewritten, error) {
	done, err := w.rewrite(ctx, r)
	if err != nil {
		err = errors.Join(err, w.disconnect(), w.removeUnfinished())
		done = Rewritten{}
	}
	if err = duckdb.Wrap("rewrite warehouse", err); err != nil && ctx.Err() != nil {
		err = ctx.Err()
	}
	return done, errors.Join(err, duckdb.Wrap("open warehouse again", w.Reopen(context.WithoutCancel(ctx))))
}

func (w *Warehouse) rewrite(ctx context.Context, r Rewriting) (done Rewritten, err error) {
	if err := w.checkSpaceToRewrite(); err != nil {
		return Rewritten{}, err
	}
	if err := w.CloseFile(ctx); err != nil {
		return Rewritten{}, err
	}
	making := &rewriting{Warehouse: w, Rewriting: r}
	for err = making.makeAnew(ctx); w.memory.GrowAfter(err); {
		err = making.makeAnew(ctx)
	}
	if err != nil {
		return Rewritten{}, err
	}
	if _, err := Inspect(ctx, w.path+unfinished); err != nil {
		return Rewritten{}, err
	}
	if err := errors.Join(w.removeEmptyLog(), w.markUnpublished()); err != nil {
		return Rewritten{}, err
	}
	return making.done, durable.Install(w.path+unfinished, w.path)
}

// checkSpaceToRewrite checks that there is space for a second file, and for what it is made
// from.
func (w *Warehouse) checkSpaceToRewrite() error {
	info, err := os.Lstat(w.path)
	if err != nil {
		return err
	}
	return trySpace(filepath.Dir(w.path), leastSpace+2*uint64(info.Size()))
}

// removeEmptyLog makes sure that the closed file has no log: it would be applied to the new
// one.
func (w *Warehouse) removeEmptyLog() error {
	for _, suffix := range []string{".wal", ".wal.checkpoint", ".wal.recovery"} {
		info, err := os.Lstat(w.path + suffix)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil && info.Size() > 0 {
			err = fmt.Errorf("%s was not closed: it has a write-ahead log", filepath.Base(w.path))
		}
		if err == nil {
			err = removeFile(w.path + suffix)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// check refuses a table or a column that is not there, or cannot be changed.
func (r Rewriting) check(tables []*storedTable) error {
	known := map[string]*storedTable{}
	for _, t := range tables {
		known[t.name] = t
	}
	for name := range r.Where {
		if known[name] == nil {
			return fmt.Errorf("there is no table %s", name)
		}
	}
	for name, columns := range r.Columns {
		t := known[name]
		if t == nil {
			return fmt.Errorf("there is no table %s", name)
		}
		for column := range columns {
			if t.types[column] == "" || t.dates(column) {
				return fmt.Errorf("%s of %s cannot be changed", column, name)
			}
		}
	}
	return nil
}

// dates reports whether the partition of a row follows from the column.
func (t *storedTable) dates(column string) bool {
	if t.declared == nil {
		return false
	}
	partition := t.declared.PartitionColumn()
	return column == t.declared.Time || (partition != nil && column == partition.Name)
}

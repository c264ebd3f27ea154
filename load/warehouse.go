package load

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"

	"github.com/flashback-sync/flashback-sync/load/duckdb"
	"github.com/flashback-sync/flashback-sync/load/durable"
	"github.com/flashback-sync/flashback-sync/load/layout"
	"github.com/flashback-sync/flashback-sync/schema"
)

// ErrLocked says that another instance works in the same data_dir.
var ErrLocked = errors.New("another instance is running")

// Options say where the warehouse is and which resources it may use.
type Options struct {
	Dir     string // data_dir
	Version string // release that writes, recorded in the file
	Now     func() time.Time

	// Writing: refuse a data_dir without space for a run; with Copied, a run that also
	// publishes a copy of the warehouse.
	Writing, Copied bool
	// Published are files that are made from the warehouse. If one of them exists, no new
	// warehouse is made: it would be published with only what the source still has, which
	// is less (no statistics older than the largest window, no deleted rows, no quarantine).
	Published []string
}

// Warehouse is the open private warehouse. It is used by one goroutine.
type Warehouse struct {
	options Options
	path    string
	lock    *flock.Flock
	db      *sql.DB
	Reader  // the connection that everything is written through
	memory  duckdb.Memory
	last    time.Time // of the last batch; each batch has a later time
	pending *pending  // opened by Add, not ended by Commit yet; or nil
}

// File is the path of the private warehouse in data_dir.
func File(dir string) string { return filepath.Join(dir, "state", "warehouse.duckdb") }

// Open takes the lock and opens the warehouse, making or migrating it if needed.
// It returns ErrLocked, a *DamagedError or a *StorageError.
func Open(ctx context.Context, options Options) (*Warehouse, error) {
	w := newWarehouse(options)
	var err error
	if w.lock, err = Lock(options.Dir); err != nil {
		return nil, err
	}
	if err := w.prepare(ctx); err != nil {
		_ = w.lock.Unlock()
		return nil, err
	}
	return w, nil
}

func newWarehouse(options Options) *Warehouse {
	if options.Now == nil {
		options.Now = time.Now
	}
	return &Warehouse{options: options, path: File(options.Dir)}
}

// Lock makes data_dir if needed and takes its lock. It returns ErrLocked or a
// *StorageError.
func Lock(dir string) (*flock.Flock, error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, duckdb.Wrap("make data_dir", err)
	}
	if err := os.Mkdir(filepath.Join(dir, "state"), 0o750); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, duckdb.Wrap("make data_dir", err)
	}
	return tryLock(dir, flock.SetPermissions(0o640))
}

// tryLock takes the lock of a data_dir without links. The lock is never nil.
func tryLock(dir string, how flock.Option) (*flock.Flock, error) {
	lock := flock.New(filepath.Join(dir, "state", "lock"), how)
	if err := checkLinks(dir); err != nil {
		return lock, err
	}
	locked, err := lock.TryLock()
	if err == nil && !locked {
		return lock, fmt.Errorf("%w in %s", ErrLocked, dir)
	}
	return lock, duckdb.Wrap("lock data_dir", err)
}

// prepare opens the warehouse after the lock was taken.
func (w *Warehouse) prepare(ctx context.Context) error {
	// What a killed run spilled to disk, and anything else where DuckDB spills.
	if err := os.RemoveAll(filepath.Join(filepath.Dir(w.path), "tmp")); err != nil {
		return duckdb.Wrap("sweep data_dir", err)
	}
	if w.options.Writing {
		if err := w.checkSpace(); err != nil {
			return err
		}
	}
	if err := layout.RemoveUnfinished(w.path); err != nil {
		return duckdb.Wrap("sweep data_dir", err)
	}
	if _, err := os.Lstat(w.path); errors.Is(err, fs.ErrNotExist) {
		if err := RefuseOrphans(w.options.Dir, w.options.Published); err != nil {
			return err
		}
		if err := w.create(ctx); err != nil {
			return err
		}
	}
	version, err := w.open(ctx)
	if err != nil {
		return err
	}
	if w.options.Writing {
		err = w.sweepOlder()
	}
	if err == nil {
		err = w.migrate(ctx, version)
	}
	if err == nil {
		err = w.makeViews(ctx)
	}
	if err != nil {
		return errors.Join(err, w.disconnect())
	}
	return nil
}

// create makes a new warehouse under a temporary name and renames it, so that a crash
// never leaves half of one.
func (w *Warehouse) create(ctx context.Context) error {
	temporary := w.path + layout.Unfinished
	err := duckdb.Use(ctx, temporary, w.session(), func(conn *sql.Conn) error { return layout.Fill(ctx, conn, w.options.Version) })
	if err == nil {
		err = os.Chmod(temporary, 0o640)
	}
	if err == nil {
		err = durable.Install(temporary, w.path)
	}
	return duckdb.Wrap("create warehouse", err)
}

// migrate gives a warehouse of an older version what this one has, and lists every partition
// as changed, so that this run writes all files again. After a crash the list and the file
// Unpublished make the next run do so.
func (w *Warehouse) migrate(ctx context.Context, version int) error {
	if version == schema.Version {
		return nil
	}
	if err := w.markUnpublished(); err != nil {
		return duckdb.Wrap("migrate warehouse", err)
	}
	return layout.Migrate(ctx, w.conn, version)
}

// Unpublished is a file in data_dir. It exists while something committed may not be
// published yet.
const Unpublished = "state/unpublished"

func (w *Warehouse) markUnpublished() error {
	return durable.Write(filepath.Join(w.options.Dir, filepath.FromSlash(Unpublished)), nil)
}

// sweepOlder removes files of earlier releases.
func (w *Warehouse) sweepOlder() error {
	err := errors.Join(os.RemoveAll(w.path+".seal"), os.RemoveAll(filepath.Join(filepath.Dir(w.path), "ids")))
	return duckdb.Wrap("sweep data_dir", err)
}

// RefuseOrphans refuses a data_dir without a warehouse that has files made from one.
func RefuseOrphans(dir string, published []string) error {
	for _, path := range published {
		if info, err := os.Lstat(path); err == nil && info.Mode().IsRegular() {
			return &duckdb.DamagedError{Path: File(dir), Reason: "the warehouse is gone, and " + path + ", which was made from it, is there"}
		}
	}
	return nil
}

// open opens a warehouse that exists. It is checked before anything is written.
func (w *Warehouse) open(ctx context.Context) (version int, err error) {
	if err := checkLinks(w.options.Dir); err != nil {
		return 0, err
	}
	if version, err = layout.Inspect(ctx, w.path); err != nil {
		return 0, err
	}
	for err = w.openChecked(ctx); w.memory.GrowAfter(err); {
		err = w.openChecked(ctx)
	}
	return version, err
}

func (w *Warehouse) openChecked(ctx context.Context) error {
	_, err := os.Lstat(w.path + ".wal")
	replayed := err == nil
	lake, err := filepath.Abs(filepath.Join(w.options.Dir, "lake"))
	if err != nil {
		return err
	}
	session := w.session()
	session.Folder = lake + string(filepath.Separator) // Copy writes there
	if err := w.connect(ctx, session); err != nil {
		return duckdb.OpenError(w.path, err)
	}
	if replayed {
		return w.clearLog(ctx)
	}
	return nil
}

// clearLog moves what a crash left in the log into the file. A log whose first transaction
// is incomplete is empty to DuckDB, which truncates it only when it writes: so something
// is written.
func (w *Warehouse) clearLog(ctx context.Context) error {
	err := duckdb.Execute(ctx, w.conn,
		"INSERT INTO internal.meta VALUES ('log cleared', '')",
		"DELETE FROM internal.meta WHERE key = 'log cleared'",
		"CHECKPOINT")
	if err != nil {
		return errors.Join(duckdb.Wrap("clear log", err), w.disconnect())
	}
	return nil
}

func (w *Warehouse) session() duckdb.Session {
	return duckdb.Session{MemoryLimit: w.memory.Limit(), TempDir: filepath.Join(filepath.Dir(w.path), "tmp"), Background: true}
}

func (w *Warehouse) connect(ctx context.Context, session duckdb.Session) error {
	db, err := duckdb.Open(w.path, session)
	if err != nil {
		return err
	}
	conn, err := db.Conn(ctx)
	if err != nil {
		return errors.Join(err, db.Close())
	}
	db.SetMaxOpenConns(0) // Copy uses further ones
	w.db, w.conn = db, conn
	return nil
}

func (w *Warehouse) disconnect() error {
	if w.db == nil {
		return nil
	}
	w.rollback()
	err := errors.Join(w.conn.Close(), w.db.Close())
	w.db = nil // the connection stays: later calls fail
	return err
}

// transact runs one transaction.
func (w *Warehouse) transact(ctx context.Context, doing string, do func(tx *sql.Tx) error) error {
	return duckdb.Transact(ctx, w.conn, doing, do)
}

// CloseFile writes everything into the private file and closes it, so that it can be
// copied. It keeps the lock.
func (w *Warehouse) CloseFile(ctx context.Context) error {
	if w.db == nil {
		return nil
	}
	err := w.growing(ctx, func() error { return duckdb.Execute(ctx, w.conn, "CHECKPOINT") })
	return duckdb.Wrap("close warehouse", errors.Join(err, w.disconnect()))
}

// Close closes the file if it is open, and releases the lock. It may be called more than
// once.
func (w *Warehouse) Close() error {
	return errors.Join(duckdb.Wrap("close warehouse", w.disconnect()), w.lock.Unlock())
}

// commitTime is the time of a batch: later than every earlier one, whatever the clock
// does, so that the latest version of a row is always known.
func (w *Warehouse) commitTime() time.Time {
	now := w.options.Now().UTC().Truncate(time.Microsecond)
	if !now.After(w.last) {
		now = w.last.Add(time.Microsecond)
	}
	w.last = now
	return now
}

// Reopen opens the file again after CloseFile.
func (w *Warehouse) Reopen(ctx context.Context) error {
	if w.db != nil {
		return nil
	}
	_, err := w.open(ctx)
	return err
}

// Recover closes the warehouse and opens it again after a failed commit, and
// reads the ledger: DuckDB refuses everything after a fatal error, and only the file
// shows whether the commit was made. If Recover fails, with a *StorageError, the
// warehouse stays closed.
func (w *Warehouse) Recover(ctx context.Context) error {
	_ = w.disconnect() // its error would follow from the failure
	if err := w.Reopen(ctx); err != nil {
		return duckdb.Wrap("open warehouse again", err)
	}
	if _, err := w.Ledger(ctx); err != nil {
		return errors.Join(err, w.disconnect())
	}
	return nil
}

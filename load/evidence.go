package load

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/gofrs/flock"

	"github.com/flashback-sync/flashback-sync/checkpoints"
	"github.com/flashback-sync/flashback-sync/load/duckdb"
	"github.com/flashback-sync/flashback-sync/schema"
)

// Evidence is all that is held, opened to be proven: the private warehouse and
// what is published from it. It holds the lock, so that nothing changes
// meanwhile, and writes nothing.
type Evidence struct {
	Holdings
	lock *flock.Flock
	db   *sql.DB
	// Unreadable says why the published file could not be opened; nil if it was.
	Unreadable error
	dir, lake  string // absolute
	published  string // the analysts' file, absolute
}

// ErrNothingHeld says that there is no warehouse yet, and nothing published from one.
var ErrNothingHeld = errors.New("nothing has been synced yet")

// OpenEvidence opens what data_dir holds for reading, and the analysts' file of
// the given name. Without a warehouse it returns a *DamagedError if one of the orphans,
// which were made from it, is there. Otherwise it returns ErrNothingHeld, ErrLocked, a *DamagedError or a
// *StorageError.
func OpenEvidence(ctx context.Context, dir, published string, orphans []string) (*Evidence, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(File(dir)); errors.Is(err, fs.ErrNotExist) {
		if err := RefuseOrphans(dir, orphans); err != nil {
			return nil, err
		}
		return nil, fmt.Errorf("%w in %s", ErrNothingHeld, dir)
	}
	lock, err := Lock(dir)
	if err != nil {
		return nil, err
	}
	e := &Evidence{lock: lock, dir: dir, lake: filepath.Join(dir, "lake"), published: filepath.Join(dir, published)}
	if err := e.open(ctx); err != nil {
		return nil, errors.Join(err, e.Close())
	}
	return e, nil
}

// published is the name of the analysts' file in queries, if it can be read.
const published = "published"

func (e *Evidence) open(ctx context.Context) error {
	version, err := Inspect(ctx, File(e.dir))
	if err != nil {
		return err
	}
	e.Unreadable = duckdb.Readable(ctx, e.published)
	session := duckdb.Session{
		MemoryLimit: "400MB", TempDir: filepath.Join(e.dir, "state", "tmp"), Folder: e.lake + string(filepath.Separator),
		Attach: map[string]string{"private": File(e.dir)}, Search: "memory.main,private.main",
	}
	if e.Unreadable == nil {
		session.Attach[published] = e.published
	}
	db, err := duckdb.Open("", session)
	if err != nil {
		return duckdb.OpenError(File(e.dir), err)
	}
	conn, err := db.Conn(ctx)
	if err != nil {
		return duckdb.OpenError(File(e.dir), errors.Join(err, db.Close()))
	}
	e.db, e.Holdings = db, Holdings{mu: &sync.Mutex{}, conn: conn, prefix: "private."}
	if version < schema.Version {
		err = e.padTables(ctx)
	}
	return duckdb.Wrap("read warehouse", err)
}

// padTables puts views with all columns in the place of the tables of an older layout:
// names are looked for in memory first.
func (e *Evidence) padTables(ctx context.Context) error {
	for _, table := range schema.Tables() {
		columns, err := duckdb.ColumnsIn(ctx, e.conn, table, "'private'")
		if err == nil && len(columns) > 0 {
			name := schema.Ident(table.Name)
			_, err = e.conn.ExecContext(ctx, "CREATE VIEW memory.main."+name+" AS SELECT * FROM "+duckdb.Padded(table, "private.main."+name))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Close closes the files and gives the lock back.
func (e *Evidence) Close() error {
	var err error
	if e.db != nil {
		err = errors.Join(e.conn.Close(), e.db.Close())
	}
	return errors.Join(err, e.lock.Unlock())
}

// Coverage reads the intervals of a key that have the status.
func (e *Evidence) Coverage(ctx context.Context, key checkpoints.Key, status checkpoints.Status) (checkpoints.Set, error) {
	set, err := checkpoints.Read(ctx, e.conn, key, status)
	return set, duckdb.Wrap("read warehouse", err)
}

// Reached is the latest instant that a run tried to read of a stream; zero if
// none did.
func (e *Evidence) Reached(ctx context.Context, stream string) (time.Time, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	var last sql.NullTime
	err := e.conn.QueryRowContext(ctx, "SELECT max(to_ts) FROM sync_runs WHERE stream = ?", stream).Scan(&last)
	return last.Time.UTC(), duckdb.Wrap("read warehouse", err)
}

// Repos lists the repositories seen in alerts and violations, sorted.
func (e *Evidence) Repos(ctx context.Context) ([]string, error) { return ReadRepos(ctx, e.conn) }

// Ledger reads the whole coverage ledger.
func (e *Evidence) Ledger(ctx context.Context) ([]CoverageLine, error) {
	return ReadLedger(ctx, e.conn)
}

// Held are the fingerprints of the private warehouse's partitions, by their start.
func (e *Evidence) Held(ctx context.Context, table *schema.Table) (map[time.Time]Fingerprint, error) {
	return e.partitions(ctx, table, schema.Ident(table.Name))
}

// Published are those of the analysts' file.
func (e *Evidence) Published(ctx context.Context, table *schema.Table) (map[time.Time]Fingerprint, error) {
	return e.partitions(ctx, table, duckdb.Padded(table, published+".main."+schema.Ident(table.Name)))
}

func (e *Evidence) partitions(ctx context.Context, table *schema.Table, relation string) (map[time.Time]Fingerprint, error) {
	held := map[time.Time]Fingerprint{}
	err := e.fingerprints(ctx, table, relation, duckdb.PartitionStart(table, schema.Ident(table.Time)), func(group any, f Fingerprint) {
		start, _ := group.(time.Time)
		held[start.UTC()] = f
	})
	return held, duckdb.Wrap("read "+table.Name, err)
}

// Files are the fingerprints of Parquet files of a table, by their path below
// the lake, with slashes.
func (e *Evidence) Files(ctx context.Context, table *schema.Table, paths []string) (map[string]Fingerprint, error) {
	if len(paths) == 0 {
		return map[string]Fingerprint{}, nil
	}
	names := map[string]string{}
	quoted := make([]string, len(paths))
	for i, path := range paths {
		absolute := filepath.Join(e.lake, filepath.FromSlash(path))
		names[absolute], quoted[i] = path, schema.Literal(absolute)
	}
	found := map[string]Fingerprint{}
	relation := duckdb.Padded(table, fmt.Sprintf("read_parquet([%s], union_by_name = true, filename = 'lake_file', hive_partitioning = false)", strings.Join(quoted, ", ")))
	err := e.fingerprints(ctx, table, relation, "lake_file", func(group any, f Fingerprint) {
		name, _ := group.(string)
		found[names[name]] = f
	})
	return found, duckdb.Wrap("read lake", err)
}

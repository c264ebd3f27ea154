package audit

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/gofrs/flock"

	"github.com/flashback-sync/flashback-sync/load"
	"github.com/flashback-sync/flashback-sync/load/duckdb"
	"github.com/flashback-sync/flashback-sync/load/layout"
	"github.com/flashback-sync/flashback-sync/load/snapshot"
	"github.com/flashback-sync/flashback-sync/schema"
)

// dataDir is an open data_dir: the private warehouse and what is published from it. It
// is locked, so that nothing changes meanwhile, and nothing is written.
type dataDir struct {
	reader
	lock *flock.Flock
	db   *sql.DB
	// Unreadable says why the published file could not be opened; nil if it was.
	Unreadable error
	dir, lake  string // absolute
	published  string // the analysts' file, absolute
}

// ErrNothingStored says that there is no warehouse yet, and nothing published from one.
var ErrNothingStored = errors.New("nothing has been synced yet")

// openDataDir opens data_dir for reading, and the analysts' file. Without a warehouse it
// returns a *duckdb.DamagedError if one of the orphans, which were made from it, is there.
// Otherwise it returns ErrNothingStored, load.ErrLocked, a *duckdb.DamagedError or a
// *duckdb.StorageError.
func openDataDir(ctx context.Context, dir string, orphans []string) (*dataDir, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(load.File(dir)); errors.Is(err, fs.ErrNotExist) {
		if err := load.RefuseOrphans(dir, orphans); err != nil {
			return nil, err
		}
		return nil, fmt.Errorf("%w in %s", ErrNothingStored, dir)
	}
	lock, err := load.Lock(dir)
	if err != nil {
		return nil, err
	}
	d := &dataDir{lock: lock, dir: dir, lake: filepath.Join(dir, "lake"), published: filepath.Join(dir, snapshot.Name)}
	if err := d.open(ctx); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

// analysts is the name of the analysts' file in queries, if it can be read.
const analysts = "published"

func (d *dataDir) open(ctx context.Context) error {
	version, err := layout.Inspect(ctx, load.File(d.dir))
	if err != nil {
		return err
	}
	d.Unreadable = duckdb.Readable(ctx, d.published)
	session := duckdb.Session{
		MemoryLimit: "400MB", TempDir: filepath.Join(d.dir, "state", "tmp"), Folder: d.lake + string(filepath.Separator),
		Attach: map[string]string{"private": load.File(d.dir)}, Search: "memory.main,private.main,private.internal",
	}
	if d.Unreadable == nil {
		session.Attach[analysts] = d.published
	}
	db, err := duckdb.Open("", session)
	if err != nil {
		return duckdb.OpenError(load.File(d.dir), err)
	}
	conn, err := db.Conn(ctx)
	if err != nil {
		return duckdb.OpenError(load.File(d.dir), errors.Join(err, db.Close()))
	}
	d.db, d.reader = db, reader{load.NewReader(conn), &sync.Mutex{}}
	if version < schema.Version {
		err = d.padTables(ctx)
	}
	return duckdb.Wrap("read warehouse", err)
}

// padTables puts views with all columns in the place of the tables of an older layout:
// names are looked for in memory first.
func (d *dataDir) padTables(ctx context.Context) error {
	for _, table := range schema.Tables() {
		columns, err := duckdb.ColumnsIn(ctx, d.Conn(), table, "'private'")
		name := schema.Ident(table.Name)
		relation := duckdb.Empty(table)
		if len(columns) > 0 {
			relation = duckdb.Padded(table, "private.main."+name)
		}
		if err == nil {
			_, err = d.Conn().ExecContext(ctx, "CREATE VIEW memory.main."+name+" AS SELECT * FROM "+relation)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Close closes the files and releases the lock.
func (d *dataDir) Close() error {
	var err error
	if d.db != nil {
		err = errors.Join(d.Conn().Close(), d.db.Close())
	}
	return errors.Join(err, d.lock.Unlock())
}

// Private are the fingerprints of the private warehouse's partitions, by their start.
func (d *dataDir) Private(ctx context.Context, table *schema.Table) (map[time.Time]fingerprint, error) {
	return fingerprints[time.Time](ctx, d.reader, table, schema.Ident(table.Name), duckdb.PartitionStart(table, schema.Ident(table.Time)))
}

// Published are those of the analysts' file.
func (d *dataDir) Published(ctx context.Context, table *schema.Table) (map[time.Time]fingerprint, error) {
	relation := duckdb.Padded(table, analysts+".main."+schema.Ident(table.Name))
	return fingerprints[time.Time](ctx, d.reader, table, relation, duckdb.PartitionStart(table, schema.Ident(table.Time)))
}

// Files are the fingerprints of Parquet files of a table, by their path below
// the lake, with slashes.
func (d *dataDir) Files(ctx context.Context, table *schema.Table, paths []string) (map[string]fingerprint, error) {
	if len(paths) == 0 {
		return map[string]fingerprint{}, nil
	}
	absolute := duckdb.List(paths, func(path string) string { return schema.Literal(d.lake + "/" + path) })
	relation := duckdb.Padded(table, fmt.Sprintf("read_parquet([%s], union_by_name = true, filename = 'lake_file', hive_partitioning = false)", absolute))
	return fingerprints[string](ctx, d.reader, table, relation, fmt.Sprintf("replace(lake_file, %s, '')", schema.Literal(d.lake+"/")))
}

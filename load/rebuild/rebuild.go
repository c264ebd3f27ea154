// Package rebuild makes the warehouse again from what was published.
package rebuild

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/flashback-sync/flashback-sync/checkpoints"
	"github.com/flashback-sync/flashback-sync/load"
	"github.com/flashback-sync/flashback-sync/load/duckdb"
	"github.com/flashback-sync/flashback-sync/load/durable"
	"github.com/flashback-sync/flashback-sync/load/layout"
	"github.com/flashback-sync/flashback-sync/schema"
)

// published is the name of the analysts' file in queries.
const published = "published"

// Part is one partition of a lake to rebuild from.
type Part struct {
	Table      *schema.Table
	Start, End time.Time
	Path       string // below the lake, with slashes; "" if there is no file
	Intact     bool   // the file is the one that the manifest describes
}

// Remains is what a warehouse can be rebuilt from.
type Remains struct {
	Parts     []Part             // each partition once
	Coverage  []checkpoints.Line // by the manifest
	Manifest  bool               // there is a usable manifest
	Published string             // name of the analysts' file below data_dir

	Generation int64 // of the last publication

	Privacy []schema.Treated // by the manifest; what is not named is kept
	Sealed  []string         // by the manifest
}

// Rebuilt is the result of a rebuild.
type Rebuilt struct {
	Rows      map[string]int64 `json:"rows"` // by table
	Files     int              `json:"files"`
	Published bool             `json:"published"` // the analysts' file could be read: run history and rejects are from there
	Lost      []string         `json:"lost"`      // partitions whose files were missing or altered
	Kept      string           `json:"kept"`      // where the old warehouse is now; "" if there was none
}

// Warehouse makes a new warehouse from the lake, and from the analysts' file what the lake
// lacks. The old one is kept beside it. Only what was read completely is covered: the next
// run fetches the rest. The new warehouse is renamed into place when it is complete.
func Warehouse(ctx context.Context, options load.Options, from Remains) (done *Rebuilt, err error) {
	if options.Now == nil {
		options.Now = time.Now
	}
	lock, err := load.Lock(options.Dir)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, lock.Unlock()) }()
	b := &rebuilding{Options: options, path: load.File(options.Dir), remains: from, done: &Rebuilt{Rows: map[string]int64{}}}
	var damaged *duckdb.DamagedError
	if _, err := layout.Inspect(ctx, b.path); errors.As(err, &damaged) && damaged.Newer {
		return nil, err // its own release reads it
	}
	if err = b.build(ctx); err == nil {
		b.done.Kept, err = b.setAside()
	}
	if err == nil {
		err = durable.Install(b.path+layout.Unfinished, b.path)
	}
	if err != nil {
		return nil, duckdb.Wrap("rebuild warehouse", err)
	}
	return b.done, nil
}

// rebuilding is a rebuild in progress.
type rebuilding struct {
	load.Options
	path    string
	remains Remains
	done    *Rebuilt
}

func (b *rebuilding) build(ctx context.Context) (err error) {
	if err := layout.RemoveUnfinished(b.path); err != nil {
		return err
	}
	if b.Dir, err = filepath.Abs(b.Dir); err != nil {
		return err
	}
	session := duckdb.Session{
		MemoryLimit: duckdb.LeastMemory, TempDir: filepath.Join(filepath.Dir(b.path), "tmp"), Background: true,
		Folder: filepath.Join(b.Dir, "lake") + string(filepath.Separator),
	}
	if file := filepath.Join(b.Dir, b.remains.Published); duckdb.Readable(ctx, file) == nil {
		b.done.Published = true
		session.Attach = map[string]string{published: file}
	}
	err = duckdb.Use(ctx, b.path+layout.Unfinished, session, func(conn *sql.Conn) error {
		if err := layout.Fill(ctx, conn, b.Version); err != nil {
			return err
		}
		return duckdb.Write(ctx, conn, "fill warehouse", func(tx *sql.Tx) error { return b.fillFrom(ctx, tx) })
	})
	return errors.Join(err, os.Chmod(b.path+layout.Unfinished, 0o640))
}

func (b *rebuilding) fillFrom(ctx context.Context, tx *sql.Tx) error {
	for _, part := range b.remains.Parts {
		if err := b.load(ctx, tx, part); err != nil {
			return err
		}
	}
	if b.done.Published {
		if err := b.fillPublished(ctx, tx); err != nil {
			return err
		}
	}
	if err := b.dropDuplicates(ctx, tx); err != nil {
		return err
	}
	for _, table := range schema.Tables() {
		if err := layout.ListRefill(ctx, tx, table); err != nil {
			return err
		}
	}
	if err := layout.SetMeta(ctx, tx, layout.Generation, strconv.FormatInt(b.remains.Generation, 10)); err != nil {
		return err
	}
	if err := b.restorePrivacy(ctx, tx); err != nil {
		return err
	}
	return b.restoreCoverage(ctx, tx)
}

// fillPublished copies what only the analysts' file has. restoreCoverage reads its ledger.
func (b *rebuilding) fillPublished(ctx context.Context, tx *sql.Tx) (err error) {
	for _, table := range schema.Tables() {
		switch {
		case table.Name == schema.SyncCoverage().Name, table.Derived != "":
		case table.Partition == schema.Unpartitioned:
			err = b.copyTable(ctx, tx, table)
		default:
			err = b.complete(ctx, tx, table)
		}
		if err != nil {
			return err
		}
	}
	// The file may be of an earlier release, and does not say so.
	return duckdb.Execute(ctx, tx, layout.WithoutQuotes...)
}

// load loads one partition: its file if it is intact or, without an analysts' file, what
// can still be read of it. A derived table is computed again when the others are published.
func (b *rebuilding) load(ctx context.Context, tx *sql.Tx, p Part) error {
	if p.Table.Derived != "" {
		return nil
	}
	if p.Intact || (p.Path != "" && !b.done.Published && b.readable(ctx, p)) {
		b.done.Files++
		if err := b.insert(ctx, tx, p.Table, b.parquet(p)); err != nil {
			return err
		}
	}
	if !p.Intact {
		b.done.Lost = append(b.done.Lost, p.Table.Name+" "+p.Start.Format(time.DateOnly))
	}
	// Every file is written again: it may be of an older layout.
	return layout.ListChanged(ctx, tx, p.Table.Name, p.Start)
}

// complete copies from the analysts' file the rows that no file of the lake had.
func (b *rebuilding) complete(ctx context.Context, tx *sql.Tx, table *schema.Table) error {
	return b.insert(ctx, tx, table, fmt.Sprintf("(SELECT i.* FROM %s i ANTI JOIN main.%s t ON %s)",
		duckdb.Padded(table, published+".main."+schema.Ident(table.Name)), schema.Ident(table.Name), duckdb.SameKey(table, "i", "t")))
}

// readable reports whether a file can be read at all, outside the transaction.
func (b *rebuilding) readable(ctx context.Context, p Part) bool {
	return duckdb.Use(ctx, "", duckdb.Session{Folder: filepath.Dir(b.file(p)) + string(filepath.Separator)}, func(conn *sql.Conn) error {
		_, err := conn.ExecContext(ctx, "CREATE TEMP TABLE probe AS SELECT "+duckdb.Names(p.Table)+" FROM "+b.parquet(p))
		return err
	}) == nil
}

func (b *rebuilding) file(p Part) string {
	return filepath.Join(b.Dir, "lake", filepath.FromSlash(p.Path))
}

func (b *rebuilding) parquet(p Part) string {
	return duckdb.Padded(p.Table, fmt.Sprintf("read_parquet(%s, hive_partitioning = false)", schema.Literal(b.file(p))))
}

func (b *rebuilding) insert(ctx context.Context, tx *sql.Tx, table *schema.Table, relation string) error {
	columns := duckdb.Names(table)
	values := columns
	if c := table.PartitionColumn(); c != nil {
		columns += ", " + schema.Ident(c.Name)
		values += ", " + table.PartitionValue(schema.Ident(table.Time))
	}
	result, err := tx.ExecContext(ctx, fmt.Sprintf("INSERT INTO %s (%s) SELECT %s FROM %s", schema.Ident(table.Name), columns, values, relation))
	if err != nil {
		return err
	}
	rows, err := result.RowsAffected()
	b.done.Rows[table.Name] += rows
	return err
}

// dropDuplicates keeps the newest version of a row that was found in two partitions: the
// lake's files and the analysts' file may be of different runs.
func (b *rebuilding) dropDuplicates(ctx context.Context, tx *sql.Tx) error {
	for _, table := range schema.Tables() {
		if table.Partition == schema.Unpartitioned || table.Derived != "" {
			continue
		}
		_, err := tx.ExecContext(ctx, fmt.Sprintf(`DELETE FROM %[1]s WHERE rowid IN (SELECT rowid FROM %[1]s
			QUALIFY row_number() OVER (PARTITION BY %[2]s ORDER BY _last_changed_at DESC) > 1)`,
			schema.Ident(table.Name), duckdb.KeyNames(table)))
		if err != nil {
			return err
		}
	}
	return nil
}

// copyTable copies a table of the analysts' file, which may be of an older
// release and lack columns, or the table.
func (b *rebuilding) copyTable(ctx context.Context, tx *sql.Tx, table *schema.Table) error {
	columns, err := duckdb.ColumnsIn(ctx, tx, table, schema.Literal(published))
	if err != nil || len(columns) == 0 {
		return err
	}
	return b.insert(ctx, tx, table, duckdb.Padded(table, published+".main."+schema.Ident(table.Name)))
}

// setAside keeps the old warehouse under another name. It keeps its own name too until the
// new one replaces it, so that a crash leaves one or the other; only its log, which must
// not be applied to the new file, is renamed before.
func (b *rebuilding) setAside() (kept string, err error) {
	if _, err := os.Lstat(b.path); errors.Is(err, fs.ErrNotExist) {
		return "", os.RemoveAll(b.path + ".wal")
	}
	kept = b.path + ".before-" + b.Now().UTC().Format("20060102T150405.000000000Z")
	if err := os.Link(b.path, kept); err != nil {
		return "", err
	}
	if err := os.Rename(b.path+".wal", kept+".wal"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	return kept, durable.SyncDir(filepath.Dir(b.path))
}

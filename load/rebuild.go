package load

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/flashback-sync/flashback-sync/checkpoints"
	"github.com/flashback-sync/flashback-sync/load/duckdb"
	"github.com/flashback-sync/flashback-sync/load/durable"
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

// Rebuild makes a new warehouse from the lake, and from the analysts' file what the lake
// lacks. The old one is kept beside it. Only what was read completely is covered: the next
// run fetches the rest. The new warehouse is renamed into place when it is complete.
func Rebuild(ctx context.Context, options Options, from Remains) (done *Rebuilt, err error) {
	w, err := newLocked(options)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, w.lock.Unlock()) }()
	if _, err := Inspect(ctx, w.path); isNewer(err) {
		return nil, err // its own release reads it
	}
	b := &rebuilding{Warehouse: w, remains: from, done: &Rebuilt{Rows: map[string]int64{}}}
	if err := b.build(ctx); err != nil {
		return nil, duckdb.Wrap("rebuild warehouse", err)
	}
	if b.done.Kept, err = w.setAside(); err != nil {
		return nil, duckdb.Wrap("rebuild warehouse", err)
	}
	return b.done, duckdb.Wrap("rebuild warehouse", durable.Install(w.path+unfinished, w.path))
}

// rebuilding is a rebuild in progress.
type rebuilding struct {
	*Warehouse
	remains Remains
	done    *Rebuilt
}

func (b *rebuilding) build(ctx context.Context) error {
	temporary := b.path + unfinished
	if err := b.removeUnfinished(); err != nil {
		return err
	}
	session, err := b.session(ctx)
	if err != nil {
		return err
	}
	if err := b.connectWith(ctx, temporary, session); err != nil {
		return err
	}
	err = b.fill(ctx)
	if err == nil {
		err = b.transact(ctx, "fill warehouse", func(tx *sql.Tx) error { return b.fillFrom(ctx, tx) })
	}
	if err == nil {
		_, err = b.conn.ExecContext(ctx, "CHECKPOINT")
	}
	return errors.Join(err, b.disconnect(), os.Chmod(temporary, 0o640))
}

// session may read the lake and, if it is readable, the analysts' file.
func (b *rebuilding) session(ctx context.Context) (duckdb.Session, error) {
	dir, err := filepath.Abs(b.options.Dir)
	if err != nil {
		return duckdb.Session{}, err
	}
	session := b.Warehouse.session()
	session.Folder = filepath.Join(dir, "lake") + string(filepath.Separator)
	if file := filepath.Join(dir, b.remains.Published); duckdb.Readable(ctx, file) == nil {
		b.done.Published = true
		session.Attach = map[string]string{published: file}
	}
	return session, nil
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
		if err := listRefill(ctx, tx, table); err != nil {
			return err
		}
	}
	if err := setGeneration(ctx, tx, b.remains.Generation); err != nil {
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
	for _, statement := range withoutQuotes {
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return nil
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
	_, err := tx.ExecContext(ctx, "INSERT INTO internal.changed_partitions VALUES (?, ?)", p.Table.Name, p.Start)
	return err
}

// complete copies from the analysts' file the rows that no file of the lake had.
func (b *rebuilding) complete(ctx context.Context, tx *sql.Tx, table *schema.Table) error {
	s := statements{table}
	return b.insert(ctx, tx, table, fmt.Sprintf("(SELECT i.* FROM %s i ANTI JOIN main.%s t ON %s)",
		duckdb.Padded(s.Table, published+".main."+schema.Ident(table.Name)), schema.Ident(table.Name), duckdb.SameKey(s.Table, "i", "t")))
}

// readable reports whether a file can be read at all, outside the transaction.
func (b *rebuilding) readable(ctx context.Context, p Part) bool {
	db, err := duckdb.Open("", duckdb.Session{Folder: filepath.Dir(b.file(p)) + string(filepath.Separator)})
	if err != nil {
		return false
	}
	defer func() { _ = db.Close() }()
	_, err = db.ExecContext(ctx, "CREATE TEMP TABLE probe AS SELECT "+duckdb.Names(p.Table)+" FROM "+b.parquet(p))
	return err == nil
}

func (b *rebuilding) file(p Part) string {
	dir, err := filepath.Abs(b.options.Dir)
	if err != nil { // Abs succeeded before
		dir = b.options.Dir
	}
	return filepath.Join(dir, "lake", filepath.FromSlash(p.Path))
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

// restoreCoverage writes the ledger: what the manifest covers, without the partitions
// whose files are not intact; of these, what the analysts' file covers as well. What has
// expired has in either.
func (b *rebuilding) restoreCoverage(ctx context.Context, tx *sql.Tx) error {
	broken := map[string]checkpoints.Set{}
	for _, p := range b.remains.Parts {
		if !p.Intact {
			broken[p.Table.Name] = broken[p.Table.Name].Union(checkpoints.Of(checkpoints.Interval{From: p.Start, To: p.End}))
		}
	}
	lines := b.remains.Coverage
	second, err := b.publishedLedger(ctx, tx)
	if err != nil {
		return err
	}
	if !b.remains.Manifest {
		lines, second = second, nil
		broken = map[string]checkpoints.Set{}
	}
	if err := expireAgain(ctx, tx, append(slices.Clone(lines), second...)); err != nil {
		return err
	}
	for _, line := range lines {
		if line.Status == checkpoints.Expired {
			continue
		}
		set := checkpoints.Of(checkpoints.Interval{From: line.From, To: line.To})
		kept := set.Subtract(broken[line.Stream])
		for _, other := range second {
			if other.Stream == line.Stream && other.Filter == line.Filter && other.Status == line.Status {
				kept = kept.Union(set.Intersect(broken[line.Stream]).Intersect(checkpoints.Of(checkpoints.Interval{From: other.From, To: other.To})))
			}
		}
		key := checkpoints.Key{Stream: line.Stream, Filter: line.Filter}
		if err := checkpoints.Record(ctx, tx, key, line.Status, "rebuild", kept); err != nil {
			return err
		}
	}
	return nil
}

// expireAgain records what has expired. Rows of that time, as of an older file of the lake,
// are dropped by the next run.
func expireAgain(ctx context.Context, tx *sql.Tx, lines []checkpoints.Line) error {
	for _, line := range lines {
		if line.Status != checkpoints.Expired {
			continue
		}
		key := checkpoints.Key{Stream: line.Stream, Filter: line.Filter}
		if err := checkpoints.Expire(ctx, tx, key, "rebuild", checkpoints.Interval{From: line.From, To: line.To}); err != nil {
			return err
		}
	}
	return nil
}

func (b *rebuilding) publishedLedger(ctx context.Context, tx *sql.Tx) ([]checkpoints.Line, error) {
	if !b.done.Published {
		return nil, nil
	}
	return checkpoints.ReadAll(ctx, tx, published+".main.sync_coverage")
}

// setAside keeps the old warehouse under another name. It keeps its own name too until the
// new one replaces it, so that a crash leaves one or the other; only its log, which must
// not be applied to the new file, is renamed before.
func (w *Warehouse) setAside() (kept string, err error) {
	if _, err := os.Lstat(w.path); errors.Is(err, fs.ErrNotExist) {
		return "", removeFile(w.path + ".wal")
	}
	kept = w.path + ".before-" + w.options.Now().UTC().Format("20060102T150405.000000000Z")
	if err := os.Link(w.path, kept); err != nil {
		return "", err
	}
	if err := os.Rename(w.path+".wal", kept+".wal"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	return kept, durable.SyncDir(filepath.Dir(w.path))
}

func isNewer(err error) bool {
	var damaged *duckdb.DamagedError
	return errors.As(err, &damaged) && damaged.Newer
}

func removeFile(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

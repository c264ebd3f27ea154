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
	"time"

	"github.com/flashback-sync/flashback-sync/checkpoints"
	"github.com/flashback-sync/flashback-sync/load/duckdb"
	"github.com/flashback-sync/flashback-sync/load/durable"
	"github.com/flashback-sync/flashback-sync/schema"
)

// Part is one partition of a lake to rebuild from.
type Part struct {
	Table      *schema.Table
	Start, End time.Time
	Path       string // below the lake, with slashes; "" if there is no file
	Sound      bool   // the file is the one that the manifest describes
}

// Remains is what is left to make a warehouse from.
type Remains struct {
	Parts     []Part         // each partition once
	Coverage  []CoverageLine // by the manifest
	Manifest  bool           // there is a manifest to rely on
	Published string         // name of the analysts' file below data_dir

	Generation int64 // of the last publication
}

// Rebuilt is what became of the remains.
type Rebuilt struct {
	Rows      map[string]int64 `json:"rows"` // by table
	Files     int              `json:"files"`
	Published bool             `json:"published"` // the analysts' file could be read: run history and rejects are from there
	Lost      []string         `json:"lost"`      // partitions that neither the lake nor the analysts' file holds whole
	Kept      string           `json:"kept"`      // where the old warehouse is now; "" if there was none
}

// Rebuild makes the warehouse again from the lake, and from the analysts' file
// what the lake does not hold. What stood in its place is kept beside it. Nothing
// is vouched for but what was read whole: the ledger lacks the rest, and the next
// run fetches it. The new warehouse takes its place when it is complete.
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

// rebuilding is a rebuild under way.
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

// session may read the lake and, if it is sound, the analysts' file.
func (b *rebuilding) session(ctx context.Context) (duckdb.Session, error) {
	dir, err := filepath.Abs(b.options.Dir)
	if err != nil {
		return duckdb.Session{}, err
	}
	session := b.thrifty()
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
	if err := b.dropDoubles(ctx, tx); err != nil {
		return err
	}
	if err := setGeneration(ctx, tx, b.remains.Generation); err != nil {
		return err
	}
	return b.vouch(ctx, tx)
}

// fillPublished takes what only the analysts' file holds. Its ledger is another
// matter: see vouch.
func (b *rebuilding) fillPublished(ctx context.Context, tx *sql.Tx) (err error) {
	for _, table := range schema.Tables() {
		switch {
		case table.Name == schema.SyncCoverage().Name:
		case table.Partition == schema.Unpartitioned:
			err = b.copyTable(ctx, tx, table)
		default:
			err = b.complete(ctx, tx, table)
		}
		if err != nil {
			return err
		}
	}
	// The file may be a former release's, and does not say so.
	for _, statement := range withoutQuotes {
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

// load brings in one partition: its file if it is sound, or, where the analysts'
// file cannot help, whatever the file still gives.
func (b *rebuilding) load(ctx context.Context, tx *sql.Tx, p Part) error {
	if p.Sound || (p.Path != "" && !b.done.Published && b.gives(ctx, p)) {
		b.done.Files++
		if err := b.insert(ctx, tx, p.Table, b.parquet(p)); err != nil {
			return err
		}
	}
	if !p.Sound {
		b.done.Lost = append(b.done.Lost, p.Table.Name+" "+p.Start.Format(time.DateOnly))
	}
	// Every file is written again: it may be of an older layout.
	_, err := tx.ExecContext(ctx, "INSERT INTO internal.changed_partitions VALUES (?, ?)", p.Table.Name, p.Start)
	return err
}

// complete takes from the analysts' file the rows that no file of the lake gave.
func (b *rebuilding) complete(ctx context.Context, tx *sql.Tx, table *schema.Table) error {
	s := statements{table}
	return b.insert(ctx, tx, table, fmt.Sprintf("(SELECT i.* FROM %s i ANTI JOIN main.%s t ON %s)",
		duckdb.Padded(s.Table, published+".main."+schema.Ident(table.Name)), schema.Ident(table.Name), duckdb.SameKey(s.Table, "i", "t")))
}

// gives reports whether a file can be read at all, without harm to the transaction.
func (b *rebuilding) gives(ctx context.Context, p Part) bool {
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
	result, err := tx.ExecContext(ctx, fmt.Sprintf("INSERT INTO %s (%s) SELECT %s FROM %s", schema.Ident(table.Name), columns, columns, relation))
	if err != nil {
		return err
	}
	rows, err := result.RowsAffected()
	b.done.Rows[table.Name] += rows
	return err
}

// dropDoubles keeps the newest version of a row that stands in two partitions,
// since a file and the analysts' file may be of different runs.
func (b *rebuilding) dropDoubles(ctx context.Context, tx *sql.Tx) error {
	for _, table := range schema.Tables() {
		if table.Partition == schema.Unpartitioned {
			continue
		}
		keys := make([]string, len(table.Key))
		for i, k := range table.Key {
			keys[i] = schema.Ident(k)
		}
		_, err := tx.ExecContext(ctx, fmt.Sprintf(`DELETE FROM %[1]s WHERE rowid IN (SELECT rowid FROM %[1]s
			QUALIFY row_number() OVER (PARTITION BY %[2]s ORDER BY _last_changed_at DESC) > 1)`,
			schema.Ident(table.Name), strings.Join(keys, ", ")))
		if err != nil {
			return err
		}
	}
	return nil
}

// copyTable takes over a table of the analysts' file, which may be of an older
// release and lack columns, or the table.
func (b *rebuilding) copyTable(ctx context.Context, tx *sql.Tx, table *schema.Table) error {
	columns, err := duckdb.ColumnsIn(ctx, tx, table, schema.Literal(published))
	if err != nil || len(columns) == 0 {
		return err
	}
	return b.insert(ctx, tx, table, duckdb.Padded(table, published+".main."+schema.Ident(table.Name)))
}

// vouch writes the ledger: what the manifest covers, less the partitions whose
// files are not sound; of these, what the analysts' file covers as well.
func (b *rebuilding) vouch(ctx context.Context, tx *sql.Tx) error {
	broken := map[string]checkpoints.Set{}
	for _, p := range b.remains.Parts {
		if !p.Sound {
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
	for _, line := range lines {
		set := checkpoints.Of(checkpoints.Interval{From: line.From, To: line.To})
		kept := set.Subtract(broken[line.Stream])
		for _, other := range second {
			if other.Stream == line.Stream && other.Filter == line.Filter && other.Status == line.Status {
				kept = kept.Union(set.Intersect(broken[line.Stream]).Intersect(checkpoints.Of(checkpoints.Interval{From: other.From, To: other.To})))
			}
		}
		key := checkpoints.Key{Stream: line.Stream, Filter: line.Filter}
		if err := checkpoints.Record(ctx, tx, key, checkpoints.Status(line.Status), "rebuild", kept); err != nil {
			return err
		}
	}
	return nil
}

func (b *rebuilding) publishedLedger(ctx context.Context, tx *sql.Tx) ([]CoverageLine, error) {
	if !b.done.Published {
		return nil, nil
	}
	return scanLedger(tx.QueryContext(ctx, `SELECT stream, "filter", status, from_ts, to_ts FROM `+published+`.main.sync_coverage ORDER BY ALL`))
}

// setAside keeps the old warehouse under another name. It stays in its place too
// until the new one takes it, so that a crash leaves one or the other; only its
// log, which must not meet the new file, moves away before.
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

package load

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/flashback-sync/flashback-sync/checkpoints"
	"github.com/flashback-sync/flashback-sync/load/duckdb"
	"github.com/flashback-sync/flashback-sync/schema"
)

// Reader reads a warehouse through one connection.
type Reader struct{ conn *sql.Conn }

// NewReader reads what the names of the tables mean on this connection.
func NewReader(conn *sql.Conn) Reader { return Reader{conn} }

// Conn is the connection. It is for reading: what compares the warehouse with the source
// runs its queries here.
func (r Reader) Conn() *sql.Conn { return r.conn }

// transact runs one transaction.
func (r Reader) transact(ctx context.Context, doing string, do func(tx *sql.Tx) error) error {
	tx, err := r.conn.BeginTx(ctx, nil)
	if err != nil {
		return duckdb.Wrap(doing, err)
	}
	if err := do(tx); err != nil {
		_ = tx.Rollback()
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return duckdb.Wrap(doing, err)
	}
	return duckdb.Wrap(doing, tx.Commit())
}

// Coverage reads the intervals of a key that have the status.
func (r Reader) Coverage(ctx context.Context, key checkpoints.Key, status checkpoints.Status) (checkpoints.Set, error) {
	set, err := checkpoints.Read(ctx, r.conn, key, status)
	return set, duckdb.Wrap("read warehouse", err)
}

// Repos lists the repositories seen in a table of events, or of statistics: the events may
// have expired.
func (r Reader) Repos(ctx context.Context, table *schema.Table) ([]string, error) {
	if _, statistics := table.Column("scope_id"); statistics {
		return r.texts(ctx, "SELECT DISTINCT scope_id FROM "+schema.Ident(table.Name)+" WHERE scope = 'repo' AND scope_id <> ''")
	}
	return r.texts(ctx, "SELECT DISTINCT repo_id FROM "+schema.Ident(table.Name)+" WHERE repo_id <> ''")
}

// sealed is the key in internal.meta of encrypted ids.
const sealed = "sealed"

// Sealed lists the ids that commits stored encrypted.
func (r Reader) Sealed(ctx context.Context) ([]string, error) { return r.SealedIn(ctx, "") }

// SealedIn is Sealed where another database is open too; the prefix is that of the
// warehouse's tables.
func (r Reader) SealedIn(ctx context.Context, prefix string) ([]string, error) {
	return r.texts(ctx, "SELECT value FROM "+prefix+"internal.meta WHERE key = ?", sealed)
}

func (r Reader) texts(ctx context.Context, query string, arguments ...any) ([]string, error) {
	all, err := scanTexts(r.conn.QueryContext(ctx, query, arguments...))
	return all, duckdb.Wrap("read warehouse", err)
}

func scanTexts(rows *sql.Rows, err error) (all []string, _ error) {
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return nil, err
		}
		all = append(all, text)
	}
	return all, rows.Err()
}

// storeSealed stores an encrypted id once.
func storeSealed(ctx context.Context, tx *sql.Tx, text string) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO internal.meta SELECT $1, $2
		WHERE NOT EXISTS (SELECT 1 FROM internal.meta WHERE key = $1 AND value = $2)`, sealed, text)
	return err
}

// Changed lists the start of every partition of a table with commits since it was
// published last, in order of time (UTC).
func (r Reader) Changed(ctx context.Context, table *schema.Table) ([]time.Time, error) {
	return r.times(ctx, "SELECT DISTINCT partition_start FROM internal.changed_partitions WHERE table_name = ? ORDER BY 1", table.Name)
}

// Partitions lists the start of every partition with rows (UTC). A date of a TIMESTAMPTZ
// would go through a calendar for every row.
func (r Reader) Partitions(ctx context.Context, table *schema.Table) ([]time.Time, error) {
	unit := "day"
	if table.Partition == schema.ByMonth {
		unit = "month"
	}
	return r.times(ctx, fmt.Sprintf("SELECT DISTINCT date_trunc('%s', make_timestamp(epoch_us(%s))) FROM %s ORDER BY 1",
		unit, schema.Ident(table.Time), schema.Ident(table.Name)))
}

func (r Reader) times(ctx context.Context, query string, arguments ...any) ([]time.Time, error) {
	times, err := scanTimes(r.conn.QueryContext(ctx, query, arguments...))
	return times, duckdb.Wrap("read warehouse", err)
}

func scanTimes(rows *sql.Rows, err error) ([]time.Time, error) {
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var times []time.Time
	for rows.Next() {
		var t time.Time
		if err := rows.Scan(&t); err != nil {
			return nil, err
		}
		times = append(times, t.UTC())
	}
	return times, rows.Err()
}

// MarkPublished removes partitions from the list of those that changed.
func (w *Warehouse) MarkPublished(ctx context.Context, table *schema.Table, partitions []time.Time) error {
	for _, p := range partitions {
		if _, err := w.conn.ExecContext(ctx, "DELETE FROM internal.changed_partitions WHERE table_name = ? AND partition_start = ?", table.Name, p); err != nil {
			return duckdb.Wrap("record publication", err)
		}
	}
	return nil
}

// MarkChanged lists partitions as changed, so that their files are written again.
func (w *Warehouse) MarkChanged(ctx context.Context, table *schema.Table, partitions []time.Time) error {
	for _, p := range partitions {
		if _, err := w.conn.ExecContext(ctx, "INSERT INTO internal.changed_partitions VALUES (?, ?)", table.Name, p); err != nil {
			return duckdb.Wrap("list partition", err)
		}
	}
	return nil
}

// Ledger reads the whole coverage ledger.
func (r Reader) Ledger(ctx context.Context) ([]checkpoints.Line, error) {
	lines, err := checkpoints.ReadAll(ctx, r.conn, "sync_coverage")
	return lines, duckdb.Wrap("read warehouse", err)
}

package load

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/flashback-sync/flashback-sync/checkpoints"
	"github.com/flashback-sync/flashback-sync/load/derived"
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

// Coverage reads the intervals of a key that have the status.
func (r Reader) Coverage(ctx context.Context, key checkpoints.Key, status checkpoints.Status) (checkpoints.Set, error) {
	set, err := checkpoints.Read(ctx, r.conn, key, status)
	return set, duckdb.Wrap("read warehouse", err)
}

// Repos lists the repositories seen in a table of events, or of statistics: the events may
// have expired.
func (r Reader) Repos(ctx context.Context, table *schema.Table) ([]string, error) {
	query := "SELECT DISTINCT repo_id FROM %s WHERE repo_id <> ''"
	if _, statistics := table.Column("scope_id"); statistics {
		query = "SELECT DISTINCT scope_id FROM %s WHERE scope = 'repo' AND scope_id <> ''"
	}
	all, err := duckdb.ReadColumn[string](ctx, r.conn, fmt.Sprintf(query, schema.Ident(table.Name)))
	return all, duckdb.Wrap("read warehouse", err)
}

// Changed lists the start of every partition of a table with commits since it was
// published last, in order of time (UTC).
func (r Reader) Changed(ctx context.Context, table *schema.Table) ([]time.Time, error) {
	return r.times(ctx, "SELECT DISTINCT partition_start FROM internal.changed_partitions WHERE table_name = ? ORDER BY 1", table.Name)
}

// Partitions lists the start of every partition with rows (UTC).
func (r Reader) Partitions(ctx context.Context, table *schema.Table) ([]time.Time, error) {
	return r.times(ctx, fmt.Sprintf("SELECT DISTINCT %s FROM %s ORDER BY 1", duckdb.PartitionStart(table, schema.Ident(table.Time)), schema.Ident(table.Name)))
}

func (r Reader) times(ctx context.Context, query string, arguments ...any) ([]time.Time, error) {
	times, err := duckdb.ReadColumn[time.Time](ctx, r.conn, query, arguments...)
	return times, duckdb.Wrap("read warehouse", err)
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

// Queries reads what the configuration asked for when it was published last.
func (r Reader) Queries(ctx context.Context) ([]derived.Query, error) {
	queries, err := derived.Queries(ctx, r.conn)
	return queries, duckdb.Wrap("read warehouse", err)
}

// Ledger reads the whole coverage ledger.
func (r Reader) Ledger(ctx context.Context) ([]checkpoints.Line, error) {
	lines, err := checkpoints.ReadAll(ctx, r.conn, "sync_coverage")
	return lines, duckdb.Wrap("read warehouse", err)
}

// Expired is the end of what has expired of a stream: of every query, also of one that is
// configured later. Zero if nothing has.
func (r Reader) Expired(ctx context.Context, stream string) (time.Time, error) {
	return r.instant(ctx, "SELECT max(to_ts) FROM sync_coverage WHERE stream = ? AND status = ?", stream, string(checkpoints.Expired))
}

// instant reads one time (UTC); the zero time if there is none.
func (r Reader) instant(ctx context.Context, query string, arguments ...any) (time.Time, error) {
	var at sql.NullTime
	err := r.conn.QueryRowContext(ctx, query, arguments...).Scan(&at)
	return at.Time.UTC(), duckdb.Wrap("read warehouse", err)
}

// CountBefore counts the rows of a table that are dated before an instant.
func (r Reader) CountBefore(ctx context.Context, table *schema.Table, at time.Time) (rows int64, err error) {
	err = r.conn.QueryRowContext(ctx, fmt.Sprintf("SELECT count(*) FROM %s WHERE %s < ?", schema.Ident(table.Name), schema.Ident(table.Time)), at).Scan(&rows)
	return rows, duckdb.Wrap("count old rows", err)
}

// Holds reports whether a table has rows.
func (r Reader) Holds(ctx context.Context, table *schema.Table) (some bool, err error) {
	err = r.conn.QueryRowContext(ctx, fmt.Sprintf("SELECT EXISTS (SELECT 1 FROM %s)", schema.Ident(table.Name))).Scan(&some)
	return some, duckdb.Wrap("read warehouse", err)
}

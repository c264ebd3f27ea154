package load

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/flashback-sync/flashback-sync/checkpoints"
	"github.com/flashback-sync/flashback-sync/load/duckdb"
	"github.com/flashback-sync/flashback-sync/schema"
)

// Condition limits rows to those whose column has one of the values, as text, or
// is NULL if there are none.
type Condition struct {
	Column string
	Values []string
}

// Range is a part of a table: [From, To) of its time column, and what else the
// rows have in common.
type Range struct {
	Table *schema.Table
	checkpoints.Interval
	Where []Condition
}

// Holdings answers questions about what is held, for those who prove it against
// the source. It changes nothing, and may be asked by several goroutines.
type Holdings struct {
	mu     *sync.Mutex // a connection serves one at a time
	conn   *sql.Conn
	prefix string // of the warehouse's tables, if it is not the only database
}

// Holdings asks the open warehouse.
func (w *Warehouse) Holdings() Holdings { return Holdings{mu: &sync.Mutex{}, conn: w.Conn()} }

// Count is the number of rows held in the range.
func (h Holdings) Count(ctx context.Context, r Range) (rows int64, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	where, arguments := r.where()
	query := fmt.Sprintf("SELECT count(*) FROM %s WHERE %s", schema.Ident(r.Table.Name), where)
	return rows, duckdb.Wrap("read warehouse", h.conn.QueryRowContext(ctx, query, arguments...).Scan(&rows))
}

// where is the range as SQL. Values are bound, never written into the text.
func (r Range) where() (clause string, arguments []any) {
	at := schema.Ident(r.Table.Time)
	clause, arguments = all(r.Where)
	return at + " >= ? AND " + at + " < ?" + clause, append([]any{r.From, r.To}, arguments...)
}

// all is SQL that every condition holds, to follow another one.
func all(conditions []Condition) (clause string, arguments []any) {
	for _, c := range conditions {
		if len(c.Values) == 0 {
			clause += " AND " + schema.Ident(c.Column) + " IS NULL"
			continue
		}
		marks := make([]string, len(c.Values))
		for i, value := range c.Values {
			marks[i], arguments = "?", append(arguments, value)
		}
		clause += fmt.Sprintf(" AND %s::VARCHAR IN (%s)", schema.Ident(c.Column), strings.Join(marks, ", "))
	}
	return clause, arguments
}

// Middle is the time of the middle row of the range; the zero time if it holds
// none.
func (h Holdings) Middle(ctx context.Context, r Range) (time.Time, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	where, arguments := r.where()
	query := fmt.Sprintf("SELECT quantile_disc(%s, 0.5) FROM %s WHERE %s", schema.Ident(r.Table.Time), schema.Ident(r.Table.Name), where)
	var middle sql.NullTime
	err := h.conn.QueryRowContext(ctx, query, arguments...).Scan(&middle)
	return middle.Time.UTC(), duckdb.Wrap("read warehouse", err)
}

// quietRows bounds how many instants are looked at in search of a quiet one.
const quietRows = 2000

// Quiet finds an instant at or after `at`, and before the range's end, that has
// no held row within a grain on either side: there it does not matter whether a
// bound counts itself in. ok is false if there is none nearby.
func (h Holdings) Quiet(ctx context.Context, r Range, at time.Time, grain time.Duration) (quiet time.Time, ok bool, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	near := r
	near.From = at.Add(-grain)
	where, arguments := near.where()
	name := schema.Ident(r.Table.Time)
	rows, err := h.conn.QueryContext(ctx, fmt.Sprintf("SELECT DISTINCT %[1]s FROM %[2]s WHERE %[3]s ORDER BY %[1]s LIMIT %[4]d",
		name, schema.Ident(r.Table.Name), where, quietRows), arguments...)
	if err != nil {
		return time.Time{}, false, duckdb.Wrap("read warehouse", err)
	}
	defer func() { _ = rows.Close() }()
	quiet, seen := at, 0
	for rows.Next() {
		var held time.Time
		if err := rows.Scan(&held); err != nil {
			return time.Time{}, false, duckdb.Wrap("read warehouse", err)
		}
		seen++
		if !held.Before(quiet.Add(grain)) {
			return quiet, quiet.Before(r.To), nil
		}
		if !held.Before(quiet.Add(-grain)) {
			quiet = held.UTC().Truncate(grain).Add(2 * grain)
		}
	}
	return quiet, seen < quietRows && quiet.Before(r.To), duckdb.Wrap("read warehouse", rows.Err())
}

// Fingerprint stands for the rows of one partition. Two are equal if and only if
// (but for a chance of one in 2^64) their rows are, whatever their order.
type Fingerprint struct {
	Rows           int64
	Oldest, Newest time.Time // of the time column, both inclusive (UTC)
	Digest         string
}

// Equal compares two fingerprints.
func (f Fingerprint) Equal(o Fingerprint) bool {
	return f.Rows == o.Rows && f.Digest == o.Digest && f.Oldest.Equal(o.Oldest) && f.Newest.Equal(o.Newest)
}

// fingerprints reads those of a relation that has the table's columns, grouped
// by an expression.
func (h Holdings) fingerprints(ctx context.Context, table *schema.Table, relation, group string, each func(group any, f Fingerprint)) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	values := make([]string, len(table.Columns))
	for i, c := range table.Columns {
		values[i] = schema.Ident(c.Name)
		if c.Type == schema.JSON {
			values[i] += "::VARCHAR" // as it is in Parquet
		}
	}
	at := schema.Ident(table.Time)
	rows, err := h.conn.QueryContext(ctx, fmt.Sprintf(
		"SELECT %[1]s AS part, count(*), min(%[2]s), max(%[2]s), sum(hash(%[3]s)::HUGEINT)::VARCHAR FROM %[4]s GROUP BY part",
		group, at, strings.Join(values, ", "), relation))
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var part any
		var f Fingerprint
		if err := rows.Scan(&part, &f.Rows, &f.Oldest, &f.Newest, &f.Digest); err != nil {
			return err
		}
		f.Oldest, f.Newest = f.Oldest.UTC(), f.Newest.UTC()
		each(part, f)
	}
	return rows.Err()
}

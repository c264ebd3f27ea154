package audit

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/flashback-sync/flashback-sync/load"
	"github.com/flashback-sync/flashback-sync/load/duckdb"
	"github.com/flashback-sync/flashback-sync/schema"
)

// reader reads the stored rows that are compared with the source. It changes nothing,
// and may be used by several goroutines.
type reader struct {
	load.Reader
	mu *sync.Mutex // a connection serves one at a time
}

// Count is the number of stored rows of the range.
func (r reader) Count(ctx context.Context, of load.Range) (rows int64, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	where, arguments := of.SQL()
	query := fmt.Sprintf("SELECT count(*) FROM %s WHERE %s", schema.Ident(of.Table.Name), where)
	return rows, duckdb.Wrap("read warehouse", r.Conn().QueryRowContext(ctx, query, arguments...).Scan(&rows))
}

// Middle is the time of the middle row of the range; the zero time if there is none.
func (r reader) Middle(ctx context.Context, of load.Range) (time.Time, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.Reader.Middle(ctx, of)
}

// quietRows bounds how many instants are looked at in search of a quiet one.
const quietRows = 2000

// Quiet finds an instant at or after `at`, and before the range's end, that has
// no stored row within the resolution on either side: there it does not matter whether a
// bound counts itself in. ok is false if there is none nearby.
func (r reader) Quiet(ctx context.Context, of load.Range, at time.Time, resolution time.Duration) (quiet time.Time, ok bool, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	near := of
	near.From = at.Add(-resolution)
	where, arguments := near.SQL()
	name := schema.Ident(of.Table.Time)
	times, err := duckdb.ReadColumn[time.Time](ctx, r.Conn(), fmt.Sprintf("SELECT DISTINCT %[1]s FROM %[2]s WHERE %[3]s ORDER BY %[1]s LIMIT %[4]d",
		name, schema.Ident(of.Table.Name), where, quietRows), arguments...)
	if err != nil {
		return time.Time{}, false, duckdb.Wrap("read warehouse", err)
	}
	quiet = at
	for _, stored := range times {
		if !stored.Before(quiet.Add(resolution)) {
			return quiet, quiet.Before(of.To), nil
		}
		if !stored.Before(quiet.Add(-resolution)) {
			quiet = stored.Truncate(resolution).Add(2 * resolution)
		}
	}
	return quiet, len(times) < quietRows && quiet.Before(of.To), nil
}

// fingerprint identifies the rows of one partition. Two are equal if and only if
// (but for a chance of one in 2^64) their rows are, whatever their order.
type fingerprint struct {
	Rows           int64
	Oldest, Newest time.Time // of the time column, both inclusive (UTC)
	Digest         string
}

// Equal compares two fingerprints.
func (f fingerprint) Equal(o fingerprint) bool {
	return f.Rows == o.Rows && f.Digest == o.Digest && f.Oldest.Equal(o.Oldest) && f.Newest.Equal(o.Newest)
}

// fingerprints reads those of a relation that has the table's columns, grouped
// by an expression.
func fingerprints[Group comparable](ctx context.Context, r reader, table *schema.Table, relation, group string) (map[Group]fingerprint, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	values := duckdb.List(table.Columns, func(c schema.Column) string {
		if c.Type == schema.JSON {
			return schema.Ident(c.Name) + "::VARCHAR" // as it is in Parquet
		}
		return schema.Ident(c.Name)
	})
	type grouped struct {
		fingerprint
		group Group
	}
	rows, err := duckdb.ReadRows(ctx, r.Conn(), func(g *grouped) []any { return []any{&g.group, &g.Rows, &g.Oldest, &g.Newest, &g.Digest} },
		fmt.Sprintf("SELECT %[1]s AS part, count(*), min(%[2]s), max(%[2]s), sum(hash(%[3]s)::HUGEINT)::VARCHAR FROM %[4]s GROUP BY part",
			group, schema.Ident(table.Time), values, relation))
	all := map[Group]fingerprint{}
	for _, g := range rows {
		all[g.group] = g.fingerprint
	}
	return all, duckdb.Wrap("read "+table.Name, err)
}

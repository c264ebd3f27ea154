package erase

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/flashback-sync/flashback-sync/load/duckdb"
	"github.com/flashback-sync/flashback-sync/schema"
)

// Count counts what Forget would erase. It writes nothing.
func Count(ctx context.Context, conn *sql.Conn, f Forgetting) (Forgot, error) {
	e := erasing{Forgetting: f}
	forgot := Forgot{Rows: map[string]int64{}, Texts: map[string]int64{}}
	for name, function := range e.functions() {
		if err := duckdb.RegisterFunction(conn, name, function.Arguments, function.Call); err != nil {
			return forgot, duckdb.Wrap("read warehouse", err)
		}
	}
	for _, t := range e.tables() {
		var rows, texts int64
		err := conn.QueryRowContext(ctx, fmt.Sprintf("SELECT count(*) FILTER (NOT (%[1]s)), count(*) FILTER ((%[1]s) AND (%[2]s)) FROM %[3]s",
			e.stays(t), e.touched(t), schema.Ident(t.Name))).Scan(&rows, &texts)
		if err != nil {
			return forgot, duckdb.Wrap("read warehouse", err)
		}
		if rows > 0 {
			forgot.Rows[t.Name] = rows
		}
		if texts > 0 {
			forgot.Texts[t.Name] = texts
		}
	}
	err := conn.QueryRowContext(ctx, "SELECT (SELECT count(*) FROM rejected_records WHERE erased_reject(stream, raw) IS NOT NULL), (SELECT count(DISTINCT day) FROM ("+
		strings.Join(e.daysQueries(""), " UNION ")+") WHERE day IS NOT NULL)").Scan(&forgot.Rejects, &forgot.Days)
	return forgot, duckdb.Wrap("read warehouse", err)
}

// OnlyErased reports whether a Parquet file of a table has rows, and all of them are of
// these ids. A file that cannot be read has others.
func OnlyErased(ctx context.Context, conn *sql.Conn, t *schema.Table, file string, ids []ErasedID) (bool, error) {
	ids = slices.DeleteFunc(slices.Clone(ids), func(id ErasedID) bool { return id.Table.Name != t.Name })
	if len(ids) == 0 {
		return false, nil
	}
	names := make([]string, len(ids))
	for i, id := range ids {
		names[i] = schema.Ident(id.Column.Name)
	}
	file, err := filepath.Abs(file)
	if err != nil {
		return false, err
	}
	rows, err := duckdb.ReadRows(ctx, conn, func(values *[]sql.NullString) []any {
		*values = make([]sql.NullString, len(ids))
		targets := make([]any, len(ids))
		for i := range ids {
			targets[i] = &(*values)[i]
		}
		return targets
	}, fmt.Sprintf("SELECT DISTINCT %s FROM read_parquet(%s, hive_partitioning = false)", strings.Join(names, ", "), schema.Literal(file)))
	if err != nil {
		return false, ctx.Err()
	}
	for _, values := range rows {
		erased := false
		for i, id := range ids {
			erased = erased || values[i].Valid && id.Erased(values[i].String)
		}
		if !erased {
			return false, nil
		}
	}
	return len(rows) > 0, nil
}

// Names lists the names that the rows of these ids have, and those that rows of other ids
// have.
func Names(ctx context.Context, conn *sql.Conn, ids []ErasedID) (own, others []string, err error) {
	for _, id := range ids {
		for _, c := range id.Table.Columns {
			if c.IDOf != id.Column.Name {
				continue
			}
			type named struct{ id, name string }
			rows, err := duckdb.ReadRows(ctx, conn, func(n *named) []any { return []any{&n.id, &n.name} },
				fmt.Sprintf("SELECT DISTINCT %[1]s, %[2]s FROM %[3]s WHERE %[1]s <> '' AND %[2]s <> ''",
					schema.Ident(id.Column.Name), schema.Ident(c.Name), schema.Ident(id.Table.Name)))
			if err != nil {
				return nil, nil, duckdb.Wrap("read warehouse", err)
			}
			for _, row := range rows {
				if id.Erased(row.id) {
					own = append(own, row.name)
				} else {
					others = append(others, row.name)
				}
			}
		}
	}
	return own, others, nil
}

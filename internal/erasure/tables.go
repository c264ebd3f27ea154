package erasure

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/flashback-sync/flashback-sync/load/duckdb"
	"github.com/flashback-sync/flashback-sync/schema"
)

// errTables says that a file's tables could not be read. DuckDB's own words may quote them.
var errTables = errors.New("tables")

// tables searches the texts of a DuckDB or Parquet file.
func (s *search) tables(ctx context.Context, path, below string, kind fileKind) error {
	var err error
	switch kind {
	case duckDB:
		session := duckdb.Session{MemoryLimit: memory, Attach: map[string]string{"searched": path}}
		err = duckdb.Use(ctx, "", session, func(conn *sql.Conn) error { return s.database(ctx, conn, below) })
	case parquet:
		err = s.parquetFile(ctx, path, below)
	case plain:
	}
	if err != nil {
		return errTables
	}
	return nil
}

// memory is what DuckDB may use.
const memory = "400MB"

func (s *search) parquetFile(ctx context.Context, path, below string) error {
	relation := fmt.Sprintf("read_parquet(%s, hive_partitioning = false)", schema.Literal(path))
	described := duckdb.Stored{Types: map[string]string{}}
	columns, err := duckdb.ReadRows(ctx, s.parquet, func(c *[2]string) []any { return []any{&c[0], &c[1]} },
		"SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM "+relation+")")
	for _, c := range columns {
		described.Columns, described.Types[c[0]] = append(described.Columns, c[0]), c[1]
	}
	if err != nil {
		return err
	}
	return s.relation(ctx, s.parquet, relation, described, Place{Path: s.shown(below)})
}

// database searches every table of the attached file.
func (s *search) database(ctx context.Context, conn *sql.Conn, below string) error {
	var free int64
	if err := conn.QueryRowContext(ctx, "SELECT free_blocks FROM pragma_database_size() WHERE database_name = 'searched'").Scan(&free); err != nil {
		return err
	}
	if below == "state/warehouse.duckdb" {
		s.proof.FreeBlocks = free
	}
	tables, err := duckdb.TablesIn(ctx, conn, "'searched'")
	if err != nil {
		return err
	}
	for _, t := range tables {
		place := Place{Path: s.shown(below), Table: strings.TrimPrefix(t.Schema+"."+t.Name, "main.")}
		relation := "searched." + t.Path()
		if place.Table == "internal.meta" { // the list of those who were forgotten is there, too
			relation = "(FROM " + relation + " WHERE key <> 'tombstone')"
		}
		if err := s.relation(ctx, conn, relation, t, place); err != nil {
			return err
		}
	}
	return nil
}

// hasNoText are the types whose values have no text.
var hasNoText = map[string]bool{
	"BOOLEAN": true, "TINYINT": true, "SMALLINT": true, "INTEGER": true, "BIGINT": true, "HUGEINT": true, "UBIGINT": true, "UINTEGER": true, "DOUBLE": true, "FLOAT": true,
	"DATE": true, "TIME": true, "TIMESTAMP": true, "TIMESTAMP WITH TIME ZONE": true, "INTERVAL": true,
}

// relation searches the texts of a table, which it reads once to count them and once to
// search: DuckDB finds the candidates.
func (s *search) relation(ctx context.Context, conn *sql.Conn, relation string, of duckdb.Stored, place Place) error {
	s.proof.Tables++
	var names, values []string
	for _, c := range of.Columns {
		if !hasNoText[of.Types[c]] {
			names = append(names, c)
			values = append(values, schema.Ident(c)+"::VARCHAR")
		}
	}
	if len(names) == 0 {
		return nil
	}
	var count int64
	if err := conn.QueryRowContext(ctx, fmt.Sprintf("SELECT count(%s) FROM %s", strings.Join(values, ") + count("), relation)).Scan(&count); err != nil {
		return err
	}
	s.proof.Columns += int64(len(names))
	s.proof.Values += count
	conditions, arguments := []string{`contains(v, '\')`}, []any{}
	for _, n := range s.needles {
		first := n.Text
		if len(n.words) > 0 && !n.Exact {
			first = n.words[0]
		}
		conditions = append(conditions, "contains(lower(v), lower(?))")
		arguments = append(arguments, first)
	}
	rows, err := conn.QueryContext(ctx, fmt.Sprintf("SELECT c, v, count(*) FROM (SELECT unnest(range(%d)) AS c, unnest([%s]) AS v FROM %s) WHERE %s GROUP BY c, v",
		len(names), strings.Join(values, ", "), relation, strings.Join(conditions, " OR ")), arguments...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	counts := make([][]int64, len(names)) // by column and needle
	for i := range counts {
		counts[i] = make([]int64, len(s.needles))
	}
	for rows.Next() {
		var text string
		var column, times int64
		if err := rows.Scan(&column, &text, &times); err != nil {
			return err
		}
		for i, n := range s.needles {
			if (n.Column == "" || n.Column == names[column]) && n.inText(text) {
				counts[column][i] += times
			}
		}
	}
	for column, name := range names {
		place.Column = name
		s.found(place, counts[column])
	}
	return rows.Err()
}

// found notes how often a place has each needle.
func (s *search) found(place Place, counts []int64) {
	for i, n := range s.needles {
		if counts[i] > 0 {
			n.found += counts[i]
			place.Label, place.Count = n.Label, counts[i]
			s.proof.Found = append(s.proof.Found, place)
		}
	}
}

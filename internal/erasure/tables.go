package erasure

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/flashback-sync/flashback-sync/load/duckdb"
	"github.com/flashback-sync/flashback-sync/schema"
)

// errTables says that a file's tables could not be read. DuckDB's own words may quote them.
var errTables = errors.New("tables")

// tables searches the texts of a DuckDB or Parquet file.
func (s *search) tables(ctx context.Context, path, below string, kind fileKind) error {
	switch kind {
	case duckDB:
		db, err := open(duckdb.Session{Attach: map[string]string{"searched": path}})
		if err != nil {
			return errTables
		}
		defer func() { _ = db.Close() }()
		return s.inSession(ctx, db, func(conn *sql.Conn) error { return s.database(ctx, conn, below) })
	case parquet:
		if s.parquet == nil {
			db, err := open(duckdb.Session{Folder: s.dir + string(filepath.Separator)})
			if err != nil {
				return errTables
			}
			s.parquet = db
		}
		return s.inSession(ctx, s.parquet, func(conn *sql.Conn) error {
			relation := fmt.Sprintf("read_parquet(%s, hive_partitioning = false)", schema.Literal(path))
			columns, err := columnsOf(ctx, conn, "SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM "+relation+")")
			if err != nil {
				return err
			}
			return s.relation(ctx, conn, relation, columns, Place{Path: s.shown(below)})
		})
	case plain:
	}
	return nil
}

func open(session duckdb.Session) (*sql.DB, error) {
	session.MemoryLimit = "400MB"
	return duckdb.Open("", session)
}

func (s *search) inSession(ctx context.Context, db *sql.DB, do func(*sql.Conn) error) error {
	conn, err := db.Conn(ctx)
	if err != nil {
		return errTables
	}
	defer func() { _ = conn.Close() }()
	if do(conn) != nil {
		return errTables
	}
	return nil
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
	tables, err := columnsOf(ctx, conn, "SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = 'searched' ORDER BY ALL")
	if err != nil {
		return err
	}
	for _, t := range tables {
		columns, err := columnsOf(ctx, conn, fmt.Sprintf("SELECT column_name, data_type FROM duckdb_columns() WHERE database_name = 'searched' AND schema_name = %s AND table_name = %s ORDER BY column_index",
			schema.Literal(t[0]), schema.Literal(t[1])))
		if err != nil {
			return err
		}
		name := schema.Ident(t[0]) + "." + schema.Ident(t[1])
		place := Place{Path: s.shown(below), Table: t[0] + "." + t[1]}
		if t[0] == "main" {
			place.Table = t[1]
		}
		relation := "searched." + name
		if place.Table == "internal.meta" { // the list of those who were forgotten is there, too
			relation = "(FROM " + relation + " WHERE key <> 'tombstone')"
		}
		if err := s.relation(ctx, conn, relation, columns, place); err != nil {
			return err
		}
	}
	return nil
}

// columnsOf reads a query of two columns.
func columnsOf(ctx context.Context, conn *sql.Conn, query string) ([][2]string, error) {
	return duckdb.ReadRows(ctx, conn, func(pair *[2]string) []any { return []any{&pair[0], &pair[1]} }, query)
}

// hasNoText are the types whose values have no text.
var hasNoText = map[string]bool{
	"BOOLEAN": true, "TINYINT": true, "SMALLINT": true, "INTEGER": true, "BIGINT": true, "HUGEINT": true, "UBIGINT": true, "UINTEGER": true, "DOUBLE": true, "FLOAT": true,
	"DATE": true, "TIME": true, "TIMESTAMP": true, "TIMESTAMP WITH TIME ZONE": true, "INTERVAL": true,
}

// relation searches the texts of a table, which it reads once to count them and once to
// search: DuckDB finds the candidates.
func (s *search) relation(ctx context.Context, conn *sql.Conn, relation string, columns [][2]string, place Place) error {
	s.proof.Tables++
	var names, values []string
	for _, c := range columns {
		if !hasNoText[c[1]] {
			names = append(names, c[0])
			values = append(values, schema.Ident(c[0])+"::VARCHAR")
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
			if n.inColumn(names[column], text) {
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

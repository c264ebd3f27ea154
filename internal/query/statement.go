package query

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"github.com/duckdb/duckdb-go/v2"
	"github.com/duckdb/duckdb-go/v2/mapping"

	"github.com/flashback-sync/flashback-sync/internal/format"
	"github.com/flashback-sync/flashback-sync/internal/visible"
)

// statement is one that DuckDB classifies as reading.
type statement struct {
	sql     string
	table   string // the table or view that it reads whole; "" for another statement
	columns []column
	fixed   bool // cannot be part of another one, as EXPLAIN; its columns are simple
}

type column struct {
	format.Column

	storedAs string
}

// prepareAll splits the SQL and checks every statement.
func (s *session) prepareAll(ctx context.Context, sql string) (all []*statement, err error) {
	texts, err := s.split(ctx, sql)
	if err != nil {
		return nil, err
	}
	for _, text := range texts {
		statement, err := s.prepare(text)
		if err != nil {
			return nil, err
		}
		all = append(all, statement)
	}
	if len(all) == 0 {
		return nil, refused("the SQL has no statement")
	}
	return all, s.allUsed()
}

// switches are table functions that change settings, though DuckDB calls a statement
// with one a SELECT. Given a path that is out of reach, DuckDB ends the process.
var switches = regexp.MustCompile(`(?i)\b(enable_logging|disable_logging|enable_profiling|disable_profiling)\b"?\s*\(`)

func (s *session) prepare(text string) (*statement, error) {
	if found := switches.FindStringSubmatch(text); found != nil {
		return nil, refused("query only reads: %s changes settings", found[1])
	}
	extracted, count, err := s.extract(text)
	if err != nil {
		return nil, err
	}
	defer mapping.DestroyExtracted(&extracted)
	if count > 1 {
		// DuckDB made several out of one, as of a PIVOT. As a subquery it can only read.
		whole := "SELECT * FROM " + subquery(text)
		if s.parse(whole) != nil {
			return nil, notReading(text)
		}
		text = whole
	}
	var found *statement
	var parameters mapping.IdxT
	err = s.last(text, func(prepared mapping.PreparedStatement) error {
		parameters = mapping.NParams(prepared)
		switch kind := duckdb.StmtType(mapping.PreparedStatementType(prepared)); kind {
		case duckdb.STATEMENT_TYPE_SELECT:
			found = &statement{sql: text, columns: columns(prepared)}
		case duckdb.STATEMENT_TYPE_EXPLAIN:
			found = &statement{sql: text, columns: columns(prepared), fixed: true}
		default:
			return notReading(text)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if found.fixed {
		found.sql, err = s.explain(text)
		return found, err
	}
	// A PRAGMA that only reads is a SELECT to DuckDB, but cannot be a subquery.
	wrapped, _, err := s.extract("SELECT * FROM " + subquery(text))
	mapping.DestroyExtracted(&wrapped)
	found.fixed = err != nil
	if parameters > 0 && !found.fixed {
		found.columns, err = s.bound(text)
		return found, err
	}
	return found, nil
}

func columns(prepared mapping.PreparedStatement) (all []column) {
	for i := range mapping.PreparedStatementColumnCount(prepared) {
		logical := mapping.PreparedStatementColumnLogicalType(prepared, i)
		all = append(all, column{format.Column{Name: mapping.PreparedStatementColumnName(prepared, i), Kind: kindOf(logical)}, storedAs(logical)})
		mapping.DestroyLogicalType(&logical)
	}
	return all
}

var explained = regexp.MustCompile(`(?is)^(?:\s|--[^\n]*\n|/\*.*?\*/)*EXPLAIN\s*(ANALYZE\s|\([^()]*\))?(.*)$`)

// explain returns an EXPLAIN that is put together of its options and of a statement
// that is a SELECT by itself: EXPLAIN ANALYZE runs what it explains.
func (s *session) explain(text string) (string, error) {
	parts := explained.FindStringSubmatch(text)
	if parts == nil {
		return "", refused("EXPLAIN takes a SELECT, not %q", excerpt(text))
	}
	inner, err := s.prepare(parts[2])
	if err != nil {
		return "", err
	}
	return "EXPLAIN " + parts[1] + "\n" + inner.sql, nil
}

// subquery makes a whole statement a part of another one. The statement was parsed
// by itself, so that its parentheses are closed; a comment at its end needs the line.
func subquery(text string) string { return "(\n" + text + "\n)" }

// texts is a statement whose values are DuckDB's own texts of them. For JSON those of nested
// values are JSON.
func (st *statement) texts(json bool) string {
	return st.with(func(c column, name string) string {
		if json && c.Kind == format.Nested {
			name = "to_json(" + name + ")"
		}
		return "CAST(" + name + " AS VARCHAR)"
	})
}

// with is a statement that makes something of each column.
func (st *statement) with(express func(column, string) string) string {
	if st.fixed {
		return st.sql
	}
	names, values := make([]string, len(st.columns)), make([]string, len(st.columns))
	for i, c := range st.columns {
		names[i] = fmt.Sprintf("c%d", i)
		values[i] = express(c, names[i])
	}
	return "SELECT " + strings.Join(values, ", ") + " FROM " + subquery(st.sql) + " AS q(" + strings.Join(names, ", ") + ")"
}

func notReading(text string) error {
	return refused("query only reads: it takes SELECT, EXPLAIN, DESCRIBE, SHOW and SUMMARIZE, not %q", excerpt(text))
}

func excerpt(text string) string { return visible.Short(strings.Join(strings.Fields(text), " "), 60) }

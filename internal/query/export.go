package query

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/xuri/excelize/v2"

	"github.com/flashback-sync/flashback-sync/internal/format"
	"github.com/flashback-sync/flashback-sync/schema"
)

// Exported is what an export wrote.
type Exported struct {
	Rows, Bytes  int64
	Completeness string   // of the period, in words
	Whole        []string // tables without a day, which were not limited to the period
}

// Export writes tables of schema main and views of bi, by name, or the result of the
// SQL if there are none, to a file. Tables whose rows have a day are limited to those from
// the first day of the period on.
func Export(ctx context.Context, r Request, tables []string, target, dataDir string) (e Exported, err error) {
	err = toFile(target, dataDir, func(out Output) error {
		return within(ctx, r, out, func(ctx context.Context, s *session) error {
			statements, err := s.exported(ctx, r, tables, &e)
			if err != nil {
				return err
			}
			if err := s.write(ctx, r, statements, out); err != nil {
				return err
			}
			e.Rows = s.written.Load()
			e.Completeness, err = s.completeness(ctx, r.Period, streamsOf(statements)...)
			return err
		})
	})
	e.Bytes = sizeOf(target)
	return e, err
}

func (s *session) exported(ctx context.Context, r Request, tables []string, e *Exported) (all []*statement, err error) {
	if len(tables) == 0 {
		all, err = s.prepareAll(ctx, r.SQL)
	}
	for _, name := range tables {
		statement, limited, err := s.whole(ctx, name, r)
		if err != nil {
			return nil, err
		}
		if !limited && !r.Period.First.IsZero() {
			e.Whole = append(e.Whole, name)
		}
		all = append(all, statement)
	}
	if len(all) > 1 && r.Format != "xlsx" {
		return nil, refused("a file of format %s has room for one table; export them one by one, or to .xlsx", r.Format)
	}
	return all, err
}

// dayColumns have the time of a row; the first one that a table has counts.
var dayColumns = []string{"day", "date", "timestamp", "bucket_start", "end", "started_at", "rejected_at", "observed_at"}

// whole is the statement that reads a table or view, and whether the period limits it.
func (s *session) whole(ctx context.Context, given string, r Request) (st *statement, limited bool, err error) {
	in, name, err := s.find(ctx, given)
	if err != nil {
		return nil, false, err
	}
	sql := "FROM " + in + "." + schema.Ident(name)
	if st, err = s.prepare(sql); err != nil {
		return nil, false, err
	}
	if by := st.dayColumn(); by != "" {
		if limited = !r.Period.First.IsZero(); limited {
			sql += " WHERE " + schema.Ident(by) + " >= " + literal(r.Period.First)
		}
		if r.Format == "xlsx" { // for people, and never large
			sql += " ORDER BY " + schema.Ident(by)
		}
		if st, err = s.prepare(sql); err != nil {
			return nil, false, err
		}
	}
	st.table = name
	return st, limited, nil
}

// dayColumn is the column with the time of a row, "" if there is none.
func (st *statement) dayColumn() string {
	for _, name := range dayColumns {
		if slices.ContainsFunc(st.columns, func(c column) bool { return c.Name == name && (c.Kind == format.Day || c.Kind == format.Moment) }) {
			return name
		}
	}
	return ""
}

// find is a view of bi or a table of main. Where both have the name, the view is what is
// documented.
func (s *session) find(ctx context.Context, given string) (in, name string, err error) {
	found, err := s.texts(ctx, `SELECT table_schema, table_name FROM information_schema.tables
		WHERE table_schema IN ('main', '`+schema.ViewSchema+`') AND table_catalog = current_database() ORDER BY table_schema, table_name`)
	if err != nil {
		return "", "", err
	}
	names := map[string]bool{}
	for _, row := range found {
		if strings.EqualFold(given, row[1]) || strings.EqualFold(given, row[0]+"."+row[1]) {
			return row[0], row[1], nil
		}
		names[row[1]] = true
	}
	all := slices.Sorted(maps.Keys(names))
	return "", "", refused("there is no table or view %q%s; there are %s", given, s.similar(ctx, given, all), strings.Join(all, ", "))
}

// similar asks whether another name was meant.
func (s *session) similar(ctx context.Context, given string, names []string) string {
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = schema.Literal(name)
	}
	found, err := s.texts(ctx, fmt.Sprintf("SELECT name FROM (SELECT unnest([%s]) AS name, jaro_winkler_similarity(name, lower(%s)) AS score) WHERE score > 0.8 ORDER BY score DESC, name LIMIT 1",
		strings.Join(quoted, ", "), schema.Literal(given)))
	if err != nil || len(found) == 0 {
		return ""
	}
	return fmt.Sprintf(", did you mean %q?", found[0][0])
}

// streamsOf are the streams that the tables are read from; none if it may be any.
func streamsOf(statements []*statement) (all []string) {
	for _, st := range statements {
		streams := schema.StreamsOf(st.table)
		if streams == nil {
			return nil
		}
		all = append(all, streams...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// sources is the statement of the sheet Sources: where each sheet is from.
func sources(r Request, results []format.Sheet, statements []*statement) string {
	var rows []string
	for i, sheet := range results {
		var params []string
		for _, name := range slices.Sorted(maps.Keys(r.Params)) {
			params = append(params, name+" = "+r.Params[name])
		}
		rows = append(rows, fmt.Sprintf("(%s, %s, %s)", schema.Literal(sheet.Name), fitting(strings.TrimSpace(statements[i].sql)), fitting(strings.Join(params, "\n"))))
	}
	return fmt.Sprintf(`SELECT sheet, %s AS file, generation, (SELECT version FROM main.sync_runs ORDER BY started_at DESC LIMIT 1) AS release, sql, nullif(parameters, '') AS parameters,
		make_timestamp(epoch_us(now())) AS written_at
	FROM (VALUES %s) AS v(sheet, sql, parameters), main.publication`, schema.Literal(filepath.Base(r.Database)), strings.Join(rows, ", "))
}

// fitting is a text of SQL that a cell has room for.
func fitting(text string) string {
	if runes := []rune(text); len(runes) > excelize.TotalCellChars/2 {
		text = string(runes[:excelize.TotalCellChars/2-1]) + "…"
	}
	return schema.Literal(text)
}

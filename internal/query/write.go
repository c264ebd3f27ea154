package query

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/flashback-sync/flashback-sync/internal/format"
)

// asText are the formats that hold texts of the values.
var asText = map[string]func(io.Writer, format.Rows) error{
	"table": format.Table, "csv": format.CSV, "json": format.JSON, "jsonl": format.JSONLines,
}

// holdsOne reports whether a file of the format holds one result only.
func holdsOne(format string) bool { return format == "parquet" || format == "arrow" }

// write writes the results of the statements.
func (s *session) write(ctx context.Context, r Request, statements []*statement, out Output) error {
	if holdsOne(r.Format) && len(statements) > 1 {
		return refused("a file of format %s has room for one result, and the SQL has %d statements", r.Format, len(statements))
	}
	buffered := bufio.NewWriterSize(out.Writer, 1<<16)
	if r.Format == "xlsx" {
		return errors.Join(s.workbook(ctx, r, statements, buffered), buffered.Flush())
	}
	if r.Mark {
		fmt.Fprint(buffered, "\ufeff")
	}
	for i, statement := range statements {
		if i > 0 && (r.Format == "table" || r.Format == "csv") {
			fmt.Fprintln(buffered)
		}
		if err := s.one(ctx, r.Format, statement, Output{buffered, out.Path}); err != nil {
			return err // without what is buffered: a short result is printed whole or not at all
		}
		if err := buffered.Flush(); err != nil {
			return err
		}
	}
	return nil
}

// one writes the result of one statement.
func (s *session) one(ctx context.Context, name string, st *statement, out Output) error {
	switch name {
	case "parquet":
		return writeParquet(ctx, s, st, out)
	case "arrow":
		return writeArrow(ctx, s, st, out)
	}
	return asText[name](out, s.result(ctx, st, name == "json" || name == "jsonl"))
}

// result is the result of a statement, whose rows are counted.
func (s *session) result(ctx context.Context, st *statement, json bool) format.Rows {
	all := s.uncounted(ctx, st, json)
	each := all.Each
	all.Each = func(use func([]*string) error) error {
		return each(func(row []*string) error { s.written.Add(1); return use(row) })
	}
	return all
}

func (s *session) uncounted(ctx context.Context, st *statement, json bool) (all format.Rows) {
	for _, c := range st.columns {
		all.Columns = append(all.Columns, c.Column)
	}
	all.Each = func(use func([]*string) error) error { return s.rows(ctx, st.texts(json), use) }
	return all
}

// workbook writes a sheet for each statement, and those that say how complete the results
// are, and where they are from.
func (s *session) workbook(ctx context.Context, r Request, statements []*statement, out io.Writer) error {
	var sheets []format.Sheet
	for i, st := range statements {
		name := cmp.Or(st.table, "Result")
		if len(statements) > 1 && st.table == "" {
			name = fmt.Sprintf("Result %d", i+1)
		}
		sheets = append(sheets, format.Sheet{Name: name, Rows: s.result(ctx, st, false)})
	}
	known, err := s.hasLedger(ctx)
	if err != nil {
		return err
	}
	if known {
		for _, about := range []struct{ name, sql string }{{"Coverage", r.Period.coverage()}, {"Sources", sources(r, sheets, statements)}} {
			st, err := s.prepare(about.sql)
			if err != nil {
				return err
			}
			sheets = append(sheets, format.Sheet{Name: about.name, Rows: s.uncounted(ctx, st, false)})
		}
	}
	err = format.Workbook(out, sheets, s.spill.dir)
	var unfit *format.UnfitError
	if errors.As(err, &unfit) {
		return refused("%s", unfit.Text)
	}
	return err
}

package main

import (
	"context"
	"database/sql"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/duckdb/duckdb-go/v2"
	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"github.com/flashback-sync/flashback-sync/load"
	"github.com/flashback-sync/flashback-sync/load/snapshot"
)

func (a *app) queryCommand() *cobra.Command {
	var format string
	command := &cobra.Command{
		Use:   "query SQL",
		Short: "Ask the published DuckDB file",
		Long: `Runs a query on the published flashback.duckdb, read-only, and prints the result.
The tables and columns are described by 'flashback-sync schema'.`,
		Example: `  flashback-sync query "SELECT policy_name, count(*) AS n FROM violations GROUP BY ALL ORDER BY n DESC"`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return errors.New("query takes one argument: the SQL, in quotes")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := oneOf("--format", format, []string{"table", "csv", "json"}); err != nil {
				return err
			}
			c, err := a.load()
			if err != nil {
				return err
			}
			return query(cmd.Context(), a.stdout, c.DataDir, args[0], format)
		},
	}
	command.Flags().StringVarP(&format, "format", "f", "table", "table, csv or json")
	return command
}

// openPublished opens the analysts' file read-only.
func openPublished(dataDir string) (*sql.DB, error) {
	path := filepath.Join(dataDir, snapshot.Name)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil, &hinted{&load.StorageError{Doing: "open " + path, Err: fs.ErrNotExist}, "it is written by 'flashback-sync sync', unless publish.duckdb is off"}
	}
	db, err := load.OpenDuckDB(path, load.Session{ReadOnly: true})
	if err != nil {
		return nil, &load.StorageError{Doing: "open " + path, Err: err}
	}
	return db, nil
}

func query(ctx context.Context, out io.Writer, dataDir, statement, format string) (err error) {
	db, err := openPublished(dataDir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	rows, err := db.QueryContext(ctx, statement)
	if err != nil {
		return usage(err)
	}
	defer func() { _ = rows.Close() }()
	names, err := rows.Columns()
	if err != nil {
		return err
	}
	write := map[string]func(io.Writer, []string, func() ([]any, error)) error{
		"table": printTable, "csv": printCSV, "json": printJSON,
	}[format]
	if err := write(out, names, func() ([]any, error) { return next(rows, len(names)) }); err != nil {
		return err
	}
	return rows.Err()
}

// next reads a row, or gives io.EOF after the last.
func next(rows *sql.Rows, width int) ([]any, error) {
	if !rows.Next() {
		if err := rows.Err(); err != nil {
			return nil, usage(err)
		}
		return nil, io.EOF
	}
	values, targets := make([]any, width), make([]any, width)
	for i := range values {
		targets[i] = &values[i]
	}
	if err := rows.Scan(targets...); err != nil {
		return nil, err
	}
	return values, nil
}

// each calls use for every row.
func each(next func() ([]any, error), use func([]any) error) error {
	for {
		values, err := next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := use(values); err != nil {
			return err
		}
	}
}

func printTable(out io.Writer, names []string, next func() ([]any, error)) error {
	t := newTable(out)
	header := make(table.Row, len(names))
	for i, name := range names {
		header[i] = clean(name, 0)
	}
	t.AppendHeader(header)
	err := each(next, func(values []any) error {
		row := make(table.Row, len(values))
		for i, v := range values {
			row[i] = plain(v)
			if text, isText := row[i].(string); isText {
				row[i] = clean(text, 0)
			}
			if v == nil {
				row[i] = "NULL"
			}
		}
		t.AppendRow(row)
		return nil
	})
	if err == nil {
		t.Render()
	}
	return err
}

// plain is a value as a person reads it; numbers stay numbers.
func plain(v any) any {
	switch v := v.(type) {
	case nil:
		return ""
	case time.Time:
		return v.UTC().Format("2006-01-02 15:04:05.999999Z")
	case []byte:
		return string(v)
	case *big.Int, duckdb.Decimal:
		return v
	case string, bool, int8, int16, int32, int64, uint8, uint16, uint32, uint64, float32, float64:
		return v
	case map[string]any, []any:
		text, err := json.Marshal(v)
		if err == nil {
			return string(text)
		}
	}
	return fmt.Sprint(v)
}

func printCSV(out io.Writer, names []string, next func() ([]any, error)) error {
	w := csv.NewWriter(out)
	record := make([]string, len(names))
	for i, name := range names {
		record[i] = defuse(name)
	}
	if err := w.Write(record); err != nil {
		return err
	}
	err := each(next, func(values []any) error {
		for i, v := range values {
			record[i] = fmt.Sprint(plain(v))
			if _, isText := plain(v).(string); isText {
				record[i] = defuse(record[i])
			}
		}
		return w.Write(record)
	})
	w.Flush()
	return errors.Join(err, w.Error())
}

// defuse keeps a spreadsheet from taking a text for a formula.
func defuse(cell string) string {
	if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
		return "'" + cell
	}
	return cell
}

func printJSON(out io.Writer, names []string, next func() ([]any, error)) error {
	separator := "["
	err := each(next, func(values []any) error {
		line := []byte(separator + "{")
		for i, v := range values {
			if moment, ok := v.(time.Time); ok {
				v = moment.UTC().Format(time.RFC3339Nano)
			}
			if decimal, ok := v.(duckdb.Decimal); ok {
				v = json.Number(decimal.String())
			}
			value, err := json.Marshal(v)
			if err != nil {
				value, _ = json.Marshal(fmt.Sprint(v))
			}
			name, _ := json.Marshal(names[i])
			if i > 0 {
				line = append(line, ',')
			}
			line = append(append(append(line, name...), ':'), value...)
		}
		separator = ",\n"
		_, err := out.Write(append(line, '}'))
		return err
	})
	if err != nil {
		return err
	}
	if separator == "[" {
		_, err = io.WriteString(out, "[")
	}
	if err == nil {
		_, err = io.WriteString(out, "]\n")
	}
	return err
}

package snapshot

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/flashback-sync/flashback-sync/load/duckdb"
	"github.com/flashback-sync/flashback-sync/load/durable"
	"github.com/flashback-sync/flashback-sync/schema"
)

// Selection is a published file for readers who may not see everything.
type Selection struct {
	Tables          []string // what it has: alerts, bi.events
	duckdb.Treating          // values that it does not have
	// User and UserName replace the ids and names of users in names_daily; nil keeps them.
	User, UserName func(text, id *string) *string
}

// PublishSelection makes the file at the target from the closed private file. Views become
// tables, computed from tables whose values were replaced before: so nothing in the file
// comes from a value that it may not have. A reader of the old file keeps it.
func PublishSelection(ctx context.Context, private, target string, s Selection) error {
	return publish(private, target, func() (string, error) {
		pending, err := durable.Create(target)
		if err != nil {
			return "", err
		}
		temporary := pending.Name()
		if err := errors.Join(pending.Close(), os.Remove(temporary)); err != nil { // DuckDB makes it
			return temporary, err
		}
		return temporary, duckdb.Wrap("write "+filepath.Base(target), s.write(ctx, private, temporary))
	})
}

// memory is what DuckDB may use to compute views; more goes to the disk.
const memory = "256MB"

func (s Selection) write(ctx context.Context, private, temporary string) (err error) {
	private, err = filepath.Abs(private)
	if err == nil {
		temporary, err = filepath.Abs(temporary)
	}
	if err != nil {
		return err
	}
	session := duckdb.Session{
		MemoryLimit: memory, TempDir: filepath.Join(filepath.Dir(private), "tmp"), Background: true,
		Attach: map[string]string{"private": private}, Output: temporary,
	}
	return duckdb.Use(ctx, "", session, func(conn *sql.Conn) error {
		functions := s.Functions()
		for name, call := range s.ofUsers() {
			functions["treat_user_"+name] = duckdb.Function{Arguments: 2, Call: func(a []*string) *string { return call(a[0], a[1]) }}
		}
		if err := duckdb.RegisterFunctions(conn, functions); err != nil {
			return err
		}
		statements := append(s.sources(), "CREATE SCHEMA "+schema.ViewSchema, "CREATE SCHEMA output."+schema.ViewSchema)
		for _, v := range schema.Views() {
			statements = append(statements, v.DDL()[0])
		}
		for _, name := range s.Tables {
			statements = append(statements, copies(name)...)
		}
		var generation sql.NullInt64
		err := conn.QueryRowContext(ctx, "SELECT max(value)::BIGINT FROM private.internal.meta WHERE key = 'generation'").Scan(&generation)
		if err != nil {
			return err
		}
		return duckdb.Execute(ctx, conn, append(statements,
			fmt.Sprintf("CREATE VIEW output.%s AS SELECT %d::BIGINT AS generation", publication, generation.Int64), "CHECKPOINT output")...)
	})
}

// sources make the tables that the views read: views of the private ones, with the values
// replaced.
func (s Selection) sources() (statements []string) {
	treated := s.Columns()
	treated[schema.NamesDaily().Name] = map[string]string{}
	for name := range s.ofUsers() {
		treated[schema.NamesDaily().Name][name] = fmt.Sprintf("CASE WHEN dimension = 'user' THEN treat_user_%[1]s(%[1]s, id) ELSE %[1]s END", name)
	}
	for _, table := range schema.Tables() {
		columns := duckdb.List(table.Stored(), func(c schema.Column) string {
			if expression, ok := treated[table.Name][c.Name]; ok {
				return expression + " AS " + schema.Ident(c.Name)
			}
			return schema.Ident(c.Name)
		})
		statements = append(statements, fmt.Sprintf("CREATE VIEW %[1]s AS SELECT %[2]s FROM private.main.%[1]s", schema.Ident(table.Name), columns))
	}
	return statements
}

// ofUsers are the functions of the columns of names_daily, for users.
func (s Selection) ofUsers() map[string]func(text, id *string) *string {
	all := map[string]func(text, id *string) *string{}
	if s.User != nil {
		all["id"] = s.User
	}
	if s.UserName != nil {
		all["name"] = s.UserName
	}
	return all
}

// copies copy a table or a view to the output, with its comments.
func copies(name string) []string {
	place := "output." + name
	statements := []string{fmt.Sprintf("CREATE TABLE %s AS SELECT * FROM %s", place, name)}
	view, isView := strings.CutPrefix(name, schema.ViewSchema+".")
	if !isView {
		table := schema.ByName(name)
		for _, c := range table.Stored() {
			statements = append(statements, comment("COLUMN", place+"."+schema.Ident(c.Name), c.Doc))
		}
		return append(statements, comment("TABLE", place, table.Doc))
	}
	for _, v := range schema.Views() {
		if v.Name == view {
			for _, c := range v.Columns {
				statements = append(statements, comment("COLUMN", place+"."+schema.Ident(c.Name), c.Doc))
			}
			statements = append(statements, comment("TABLE", place, v.Doc))
		}
	}
	return statements
}

func comment(kind, name, text string) string {
	return fmt.Sprintf("COMMENT ON %s %s IS %s", kind, name, schema.Literal(text))
}

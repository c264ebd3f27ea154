package derived

import (
	"context"
	"database/sql"

	"github.com/flashback-sync/flashback-sync/schema"
)

// ViewsAreCurrent reports whether the warehouse has the views of this release.
func ViewsAreCurrent(ctx context.Context, conn *sql.Conn) (bool, error) {
	var made string
	err := conn.QueryRowContext(ctx, "SELECT coalesce(max(value), '') FROM internal.meta WHERE key = 'views'").Scan(&made)
	return made == schema.ViewsDigest(), err
}

// ViewStatements make the views of this release in place of others.
func ViewStatements() []string {
	statements := []string{"DROP SCHEMA IF EXISTS " + schema.ViewSchema + " CASCADE", "CREATE SCHEMA " + schema.ViewSchema}
	for _, v := range schema.Views() {
		statements = append(statements, v.DDL()...)
	}
	return append(
		statements,
		"DELETE FROM internal.meta WHERE key = 'views'",
		"INSERT INTO internal.meta VALUES ('views', "+schema.Literal(schema.ViewsDigest())+")",
	)
}

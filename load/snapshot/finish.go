package snapshot

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/flashback-sync/flashback-sync/load/duckdb"
	"github.com/flashback-sync/flashback-sync/schema"
)

// finish turns a copy of the closed private file into the analysts' file: it verifies the
// checksums and drops the warehouse's own tables. What is damaged is the private file.
func finish(ctx context.Context, copied, private string) error {
	if err := duckdb.CheckBlocks(ctx, copied); err != nil {
		var damaged *duckdb.DamagedError
		if errors.As(err, &damaged) {
			err = &duckdb.DamagedError{Path: private, Reason: strings.ReplaceAll(damaged.Reason, copied, private)}
		}
		return duckdb.Wrap("check published file", err)
	}
	err := duckdb.Use(ctx, copied, duckdb.Session{MemoryLimit: duckdb.LeastMemory}, func(conn *sql.Conn) error {
		if err := addGeneration(ctx, conn); err != nil {
			return err
		}
		return duckdb.Execute(ctx, conn, "DROP SCHEMA internal CASCADE", "CHECKPOINT")
	})
	return duckdb.Wrap("prepare published file", err)
}

// publication is the view of the published file with its generation.
const publication = "publication"

// addGeneration adds that view to a copy of the warehouse.
func addGeneration(ctx context.Context, conn *sql.Conn) error {
	var generation sql.NullInt64
	err := conn.QueryRowContext(ctx, "SELECT max(value)::BIGINT FROM internal.meta WHERE key = 'generation'").Scan(&generation)
	if err != nil || !generation.Valid {
		return err
	}
	doc := schema.Literal("The number of the publication that wrote this file. It only grows; generation in lake/manifest.json counts the same.")
	return duckdb.Execute(ctx, conn,
		fmt.Sprintf("CREATE VIEW %s AS SELECT %d::BIGINT AS generation", publication, generation.Int64),
		fmt.Sprintf("COMMENT ON VIEW %s IS %s", publication, doc),
		fmt.Sprintf("COMMENT ON COLUMN %s.generation IS %s", publication, doc))
}

// Generation is the number of the publication that wrote a published file; 0 if
// it has none, or cannot be read.
func Generation(ctx context.Context, path string) (generation int64) {
	if duckdb.CheckStart(path) != nil {
		return 0
	}
	err := duckdb.Use(ctx, path, duckdb.Session{ReadOnly: true, MemoryLimit: duckdb.LeastMemory}, func(conn *sql.Conn) error {
		return conn.QueryRowContext(ctx, "SELECT max(generation) FROM "+publication).Scan(&generation)
	})
	if err != nil {
		return 0
	}
	return generation
}

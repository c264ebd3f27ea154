package snapshot

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
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
	db, err := duckdb.Open(copied, duckdb.Session{MemoryLimit: duckdb.LeastMemory})
	if err != nil {
		return duckdb.Wrap("prepare published file", err)
	}
	if err = addGeneration(ctx, db); err == nil {
		_, err = db.ExecContext(ctx, "DROP SCHEMA internal CASCADE; CHECKPOINT")
	}
	if closeErr := db.Close(); err == nil {
		err = closeErr
	}
	return duckdb.Wrap("prepare published file", err)
}

// publication is the view of the published file with its generation.
const publication = "publication"

// addGeneration adds that view to a copy of the warehouse.
func addGeneration(ctx context.Context, db *sql.DB) error {
	var text sql.NullString
	if err := db.QueryRowContext(ctx, "SELECT max(value) FROM internal.meta WHERE key = 'generation'").Scan(&text); err != nil || !text.Valid {
		return err
	}
	generation, err := strconv.ParseInt(text.String, 10, 64)
	if err == nil {
		_, err = db.ExecContext(ctx, fmt.Sprintf("CREATE VIEW %[1]s AS SELECT %[2]d::BIGINT AS generation; COMMENT ON VIEW %[1]s IS %[3]s; "+
			"COMMENT ON COLUMN %[1]s.generation IS %[3]s", publication, generation,
			schema.Literal("The number of the publication that wrote this file. It only grows; generation in lake/manifest.json counts the same.")))
	}
	return err
}

// Generation is the number of the publication that wrote a published file; 0 if
// it has none, or cannot be read.
func Generation(ctx context.Context, path string) (generation int64) {
	if duckdb.CheckStart(path) != nil {
		return 0
	}
	db, err := duckdb.Open(path, duckdb.Session{ReadOnly: true, MemoryLimit: duckdb.LeastMemory})
	if err != nil {
		return 0
	}
	err = errors.Join(db.QueryRowContext(ctx, "SELECT max(generation) FROM "+publication).Scan(&generation), db.Close())
	if err != nil {
		return 0
	}
	return generation
}

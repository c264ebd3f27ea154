package load

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"

	"github.com/flashback-sync/flashback-sync/load/duckdb"
	"github.com/flashback-sync/flashback-sync/schema"
)

// Generation is the number of the last publication made from this warehouse; 0 if there
// was none. It shows whether the warehouse is older than what is published.
func (w *Warehouse) Generation(ctx context.Context) (generation int64, err error) {
	var text sql.NullString
	err = w.conn.QueryRowContext(ctx, "SELECT max(value) FROM internal.meta WHERE key = 'generation'").Scan(&text)
	if err == nil && text.Valid {
		generation, err = strconv.ParseInt(text.String, 10, 64)
	}
	return generation, duckdb.Wrap("read warehouse", err)
}

// NextGeneration counts a publication. Its number is committed before a file is published,
// so that a crash never leaves a file with a number that the warehouse lacks.
func (w *Warehouse) NextGeneration(ctx context.Context) (int64, error) {
	generation, err := w.Generation(ctx)
	if err != nil {
		return 0, err
	}
	generation++
	return generation, w.transact(ctx, "count publication", func(tx *sql.Tx) error { return setGeneration(ctx, tx, generation) })
}

func setGeneration(ctx context.Context, tx *sql.Tx, generation int64) error {
	_, err := tx.ExecContext(ctx, "DELETE FROM internal.meta WHERE key = 'generation'")
	if err == nil {
		_, err = tx.ExecContext(ctx, "INSERT INTO internal.meta VALUES ('generation', ?)", strconv.FormatInt(generation, 10))
	}
	return err
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

// PublishedGeneration is the number of the publication that wrote a published file; 0 if
// it has none, or cannot be read.
func PublishedGeneration(ctx context.Context, path string) (generation int64) {
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

package layout

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/flashback-sync/flashback-sync/load/duckdb"
	"github.com/flashback-sync/flashback-sync/schema"
)

// Keys of internal.meta that several packages know. A key may have several values.
const (
	Sealed     = "sealed"     // encrypted ids
	Tombstones = "tombstone"  // those whose rows were erased, as JSON
	Generation = "generation" // the number of the last publication
	Erased     = "erased"     // something was erased, and files that were set aside may still have it
	// Refill lists the tables whose rows may have fields in extra that have a column now: a
	// release added columns, or the warehouse was rebuilt from files that lacked some.
	Refill = "refill"
)

// Meta reads the values of a key.
func Meta(ctx context.Context, db duckdb.Querier, key string) ([]string, error) {
	return duckdb.ReadColumn[string](ctx, db, "SELECT value FROM internal.meta WHERE key = ?", key)
}

// AddMeta adds a value to a key, once.
func AddMeta(ctx context.Context, db duckdb.Execer, key, value string) error {
	_, err := db.ExecContext(ctx, "INSERT INTO internal.meta SELECT $1, $2 WHERE NOT EXISTS (FROM internal.meta WHERE key = $1 AND value = $2)", key, value)
	return err
}

// SetMeta replaces the values of a key.
func SetMeta(ctx context.Context, db duckdb.Execer, key string, values ...string) error {
	_, err := db.ExecContext(ctx, "DELETE FROM internal.meta WHERE key = ?", key)
	for _, value := range values {
		if err == nil {
			_, err = db.ExecContext(ctx, "INSERT INTO internal.meta VALUES (?, ?)", key, value)
		}
	}
	return err
}

// ListChanged lists partitions as changed, each once.
func ListChanged(ctx context.Context, tx *sql.Tx, table string, starts ...time.Time) error {
	for _, start := range starts {
		_, err := tx.ExecContext(ctx, `INSERT INTO internal.changed_partitions SELECT $1, $2
			WHERE NOT EXISTS (SELECT 1 FROM internal.changed_partitions WHERE table_name = $1 AND partition_start = $2)`, table, start)
		if err != nil {
			return err
		}
	}
	return nil
}

// ListAll is the SQL that lists every partition of a table as changed.
func ListAll(table *schema.Table) string {
	return fmt.Sprintf(`INSERT INTO internal.changed_partitions SELECT %[1]s, start FROM (SELECT DISTINCT %[2]s AS start FROM %[3]s)
		WHERE start NOT IN (SELECT partition_start FROM internal.changed_partitions WHERE table_name = %[1]s)`,
		schema.Literal(table.Name), duckdb.PartitionStart(table, schema.Ident(table.Time)), schema.Ident(table.Name))
}

// ListRefill lists a table for Refill, if it keeps unknown fields.
func ListRefill(ctx context.Context, tx *sql.Tx, table *schema.Table) error {
	if ExtraOf(table) == "" {
		return nil
	}
	return AddMeta(ctx, tx, Refill, table.Name)
}

// ExtraOf is the column that keeps a table's unknown fields, or "".
func ExtraOf(table *schema.Table) string {
	for _, c := range table.Columns {
		if c.Origin == schema.Unknown {
			return schema.Ident(c.Name)
		}
	}
	return ""
}

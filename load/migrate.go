package load

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"strconv"

	"github.com/flashback-sync/flashback-sync/internal/durable"
	"github.com/flashback-sync/flashback-sync/schema"
)

// application marks our warehouses, so that no other DuckDB file is written to.
const application = "flashback-sync"

// privateTables are the warehouse's own. They are not published.
var privateTables = []string{
	"CREATE SCHEMA internal",
	"CREATE TABLE internal.meta (key VARCHAR NOT NULL, value VARCHAR NOT NULL)",
	"CREATE TABLE internal.changed_partitions (table_name VARCHAR NOT NULL, partition_start TIMESTAMPTZ NOT NULL)",
	"CREATE TABLE internal.unsettled (stream VARCHAR NOT NULL, run_id VARCHAR NOT NULL)",
}

// unfinished is what a warehouse's name ends with while it is being made.
const unfinished = ".new"

// removeUnfinished removes what a crash left of a warehouse that was being made.
// Whoever holds the lock may: nobody else makes one.
func (w *Warehouse) removeUnfinished() error {
	return errors.Join(removeFile(w.path+unfinished), removeFile(w.path+unfinished+".wal"))
}

// create makes a new warehouse beside its place and renames it there, so that a
// crash never leaves half of one.
func (w *Warehouse) create(ctx context.Context) error {
	temporary := w.path + unfinished
	err := w.connect(ctx, temporary)
	if err == nil {
		err = errors.Join(w.fill(ctx), w.disconnect())
	}
	if err == nil {
		err = os.Chmod(temporary, 0o640)
	}
	if err == nil {
		err = durable.Install(temporary, w.path)
	}
	return storage("create warehouse", err)
}

func (w *Warehouse) fill(ctx context.Context) error {
	statements := privateTables
	for _, table := range schema.Tables() {
		statements = append(statements, table.DDL()...)
	}
	statements = append(
		statements,
		fmt.Sprintf("INSERT INTO internal.meta VALUES ('application', '%s'), ('schema_version', '%d'), ('created_by', %s)",
			application, schema.Version, schema.Literal(w.options.Version)),
		"CHECKPOINT",
	)
	for _, statement := range statements {
		if _, err := w.conn.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

// migrations bring a warehouse from the version of their index to the next one.
// They run alone, each followed by a checkpoint, never with data.
var migrations = map[int][]string{
	1: {
		"ALTER TABLE sync_runs ADD COLUMN rows_recovered BIGINT",
		"ALTER TABLE sync_runs ADD COLUMN verified VARCHAR",
		"ALTER TABLE sync_runs ADD COLUMN verified_missing BIGINT",
		`CREATE TABLE sync_lateness (run_id VARCHAR NOT NULL, stream VARCHAR NOT NULL, observed_at TIMESTAMPTZ NOT NULL,
			up_to_s BIGINT NOT NULL, "rows" BIGINT NOT NULL, max_s BIGINT NOT NULL)`,
	},
	2: withoutQuotes,
}

// withoutQuotes removes the error texts of releases up to layout 2, which quoted what
// the source had answered, and with it personal data. A reason to reject keeps its kind.
var withoutQuotes = []string{
	"UPDATE sync_runs SET error = 'removed: recorded by a release that quoted answers' WHERE error IS NOT NULL",
	"UPDATE rejected_records SET reason = 'unreadable JSON' WHERE reason LIKE 'unreadable JSON: %'",
	`UPDATE rejected_records SET reason = 'a field is there twice'
		WHERE reason LIKE '% is there twice' AND NOT regexp_full_match(reason, '[A-Za-z_][A-Za-z0-9_]{0,63} is there twice')`,
}

// Migrated reports whether Open brought the warehouse to a newer layout: then
// what is published has an older one.
func (w *Warehouse) Migrated() bool { return w.migrated }

func (w *Warehouse) migrate(ctx context.Context, version int) error {
	for ; version < schema.Version; version++ {
		err := w.transact(ctx, fmt.Sprintf("migrate warehouse to version %d", version+1), func(tx *sql.Tx) error {
			for _, statement := range append(migrations[version], comments(version+1)...) {
				if _, err := tx.ExecContext(ctx, statement); err != nil {
					return err
				}
			}
			_, err := tx.ExecContext(ctx, "UPDATE internal.meta SET value = ? WHERE key = 'schema_version'", strconv.Itoa(version+1))
			return err
		})
		if err != nil {
			return err
		}
		if _, err := w.conn.ExecContext(ctx, "CHECKPOINT"); err != nil {
			return storage("checkpoint warehouse", err)
		}
		w.migrated = true
	}
	return nil
}

// comments are those of all tables, once the last version is reached.
func comments(version int) (statements []string) {
	if version < schema.Version {
		return nil
	}
	for _, table := range schema.Tables() {
		statements = append(statements, table.Comments()...)
	}
	return statements
}

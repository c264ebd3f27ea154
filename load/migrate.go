package load

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/flashback-sync/flashback-sync/load/derived"
	"github.com/flashback-sync/flashback-sync/load/duckdb"
	"github.com/flashback-sync/flashback-sync/load/durable"
	"github.com/flashback-sync/flashback-sync/schema"
)

// application marks our warehouses, so that no other DuckDB file is written to.
const application = "flashback-sync"

// privateTables are the warehouse's own. They are not published. unsettled lists the runs
// whose ids were not deduplicated yet.
var privateTables = []string{
	"CREATE SCHEMA internal",
	"CREATE TABLE internal.meta (key VARCHAR NOT NULL, value VARCHAR NOT NULL)",
	"CREATE TABLE internal.changed_partitions (table_name VARCHAR NOT NULL, partition_start TIMESTAMPTZ NOT NULL)",
	"CREATE TABLE internal.unsettled (stream VARCHAR NOT NULL, run_id VARCHAR NOT NULL)",
}

// unfinished is the suffix of a warehouse that is being made.
const unfinished = ".new"

// removeUnfinished removes what a crash left of a warehouse that was being made. The
// caller has the lock, so nobody else is making one.
func (w *Warehouse) removeUnfinished() error {
	return errors.Join(removeFile(w.path+unfinished), removeFile(w.path+unfinished+".wal"), os.RemoveAll(w.rowsFolder()))
}

// create makes a new warehouse under a temporary name and renames it, so that a crash
// never leaves half of one.
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
	return duckdb.Wrap("create warehouse", err)
}

// layout are the statements that make all tables.
func layout() []string {
	statements := slices.Clone(privateTables)
	for _, table := range schema.Tables() {
		statements = append(statements, table.DDL()...)
	}
	return statements
}

func (w *Warehouse) fill(ctx context.Context) error {
	statements := append(
		layout(),
		fmt.Sprintf("INSERT INTO internal.meta VALUES ('application', '%s'), ('schema_version', '%d'), ('created_by', %s)",
			application, schema.Version, schema.Literal(w.options.Version)),
	)
	statements = append(statements, derived.ViewStatements()...)
	err := w.transact(ctx, "fill warehouse", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, strings.Join(statements, ";"))
		return err
	})
	if err == nil {
		_, err = w.conn.ExecContext(ctx, "CHECKPOINT")
	}
	return err
}

// corrections change rows that releases of a layout wrote. They run before the layout is
// changed: DuckDB cannot update a table that the same transaction altered.
var corrections = map[int][]string{2: withoutQuotes}

// withoutQuotes removes error texts of releases up to layout 2, which quoted answers of the
// source, and with them personal data. The reason of a reject keeps its kind.
var withoutQuotes = []string{
	"UPDATE sync_runs SET error = 'removed: recorded by a release that quoted answers' WHERE error IS NOT NULL",
	"UPDATE rejected_records SET reason = 'unreadable JSON' WHERE reason LIKE 'unreadable JSON: %'",
	`UPDATE rejected_records SET reason = 'a field is there twice'
		WHERE reason LIKE '% is there twice' AND NOT regexp_full_match(reason, '[A-Za-z_][A-Za-z0-9_]{0,63} is there twice')`,
}

// Unpublished is a file in data_dir. It exists while something committed may not be
// published yet.
const Unpublished = "state/unpublished"

func (w *Warehouse) markUnpublished() error {
	return durable.Write(filepath.Join(w.options.Dir, filepath.FromSlash(Unpublished)), nil)
}

// migrate adds the tables and columns that a warehouse of an older layout lacks, and lists
// every partition as changed, so that this run writes all files again. After a crash the
// list and the file Unpublished make the next run do so.
func (w *Warehouse) migrate(ctx context.Context, version int) error {
	if version == schema.Version {
		return nil
	}
	if err := w.markUnpublished(); err != nil {
		return duckdb.Wrap("migrate warehouse", err)
	}
	migrating := fmt.Sprintf("migrate warehouse to version %d", schema.Version)
	err := w.transact(ctx, migrating, func(tx *sql.Tx) error {
		for ; version < schema.Version; version++ {
			for _, correction := range corrections[version] {
				if _, err := tx.ExecContext(ctx, correction); err != nil {
					return err
				}
			}
		}
		for _, table := range schema.Tables() {
			if err := (statements{table}).migrate(ctx, tx); err != nil {
				return fmt.Errorf("%s: %w", table.Name, err)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	// A second transaction: DuckDB cannot update a table that the same one altered. The
	// version comes last, so after a crash in between the next run does both again.
	err = w.transact(ctx, migrating, func(tx *sql.Tx) error {
		for _, table := range schema.Tables() {
			if err := (statements{table}).fillPartition(ctx, tx); err != nil {
				return fmt.Errorf("%s: %w", table.Name, err)
			}
		}
		_, err := tx.ExecContext(ctx, "UPDATE internal.meta SET value = ? WHERE key = 'schema_version'", strconv.Itoa(schema.Version))
		return err
	})
	if err != nil {
		return err
	}
	_, err = w.conn.ExecContext(ctx, "CHECKPOINT")
	return duckdb.Wrap("checkpoint warehouse", err)
}

func (s statements) migrate(ctx context.Context, tx *sql.Tx) error {
	columns, err := duckdb.ColumnsIn(ctx, tx, s.Table, "current_database()")
	if err != nil {
		return err
	}
	var changes []string
	if len(columns) == 0 {
		changes = s.DDL()
	} else {
		if slices.ContainsFunc(s.Batch(), func(c schema.Column) bool { return !columns[c.Name] }) {
			if err := listRefill(ctx, tx, s.Table); err != nil {
				return err
			}
		}
		if s.Partition != schema.Unpartitioned {
			changes = append(changes, s.listAll())
		}
		if !s.canMove() { // releases of layout 1 listed its runs, and never removed them
			changes = append(changes, "DELETE FROM internal.unsettled WHERE stream = "+schema.Literal(s.Name))
		}
		for _, c := range s.Stored() {
			if !columns[c.Name] {
				changes = append(changes, fmt.Sprintf("ALTER TABLE %s ADD COLUMN %s %s", schema.Ident(s.Name), schema.Ident(c.Name), c.Type.DuckDB()))
			}
		}
		changes = append(changes, s.Comments()...)
	}
	for _, change := range changes {
		if _, err := tx.ExecContext(ctx, change); err != nil {
			return err
		}
	}
	return nil
}

// fillPartition gives the rows of a release without the partition column their value.
func (s statements) fillPartition(ctx context.Context, tx *sql.Tx) error {
	c := s.PartitionColumn()
	if c == nil {
		return nil
	}
	_, err := tx.ExecContext(ctx, fmt.Sprintf("UPDATE %[1]s SET %[2]s = %[3]s WHERE %[2]s IS NULL",
		schema.Ident(s.Name), schema.Ident(c.Name), s.PartitionValue(schema.Ident(s.Time))))
	return err
}

// listAll lists every partition as changed.
func (s statements) listAll() string {
	return fmt.Sprintf(`INSERT INTO internal.changed_partitions SELECT %[1]s, start FROM (SELECT DISTINCT %[2]s AS start FROM %[3]s)
		WHERE start NOT IN (SELECT partition_start FROM internal.changed_partitions WHERE table_name = %[1]s)`,
		schema.Literal(s.Name), duckdb.PartitionStart(s.Table, schema.Ident(s.Time)), schema.Ident(s.Name))
}

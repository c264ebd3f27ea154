package layout

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strconv"

	"github.com/flashback-sync/flashback-sync/load/duckdb"
	"github.com/flashback-sync/flashback-sync/schema"
)

// corrections change rows that releases of a layout wrote. They run before the layout is
// changed: DuckDB cannot update a table that the same transaction altered.
var corrections = map[int][]string{2: WithoutQuotes}

// WithoutQuotes removes error texts of releases up to layout 2, which quoted answers of the
// source, and with them personal data. The reason of a reject keeps its kind.
var WithoutQuotes = []string{
	"UPDATE sync_runs SET error = 'removed: recorded by a release that quoted answers' WHERE error IS NOT NULL",
	"UPDATE rejected_records SET reason = 'unreadable JSON' WHERE reason LIKE 'unreadable JSON: %'",
	`UPDATE rejected_records SET reason = 'a field is there twice'
		WHERE reason LIKE '% is there twice' AND NOT regexp_full_match(reason, '[A-Za-z_][A-Za-z0-9_]{0,63} is there twice')`,
}

// Migrate adds the tables and columns that a warehouse of an older version lacks, and lists
// every partition as changed. After a crash it is run again.
func Migrate(ctx context.Context, conn *sql.Conn, version int) error {
	migrating := fmt.Sprintf("migrate warehouse to version %d", schema.Version)
	err := duckdb.Transact(ctx, conn, migrating, func(tx *sql.Tx) error {
		for ; version < schema.Version; version++ {
			if err := duckdb.Execute(ctx, tx, corrections[version]...); err != nil {
				return err
			}
		}
		for _, table := range schema.Tables() {
			if err := migrate(ctx, tx, table); err != nil {
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
	return duckdb.Write(ctx, conn, migrating, func(tx *sql.Tx) error {
		for _, table := range schema.Tables() {
			if err := fillPartition(ctx, tx, table); err != nil {
				return fmt.Errorf("%s: %w", table.Name, err)
			}
		}
		return SetMeta(ctx, tx, "schema_version", strconv.Itoa(schema.Version))
	})
}

func migrate(ctx context.Context, tx *sql.Tx, table *schema.Table) error {
	columns, err := duckdb.ColumnsIn(ctx, tx, table, "current_database()")
	if err != nil {
		return err
	}
	if len(columns) == 0 {
		return duckdb.Execute(ctx, tx, table.DDL()...)
	}
	if slices.ContainsFunc(table.Batch(), func(c schema.Column) bool { return !columns[c.Name] }) {
		if err := ListRefill(ctx, tx, table); err != nil {
			return err
		}
	}
	var changes []string
	if table.Partition != schema.Unpartitioned {
		changes = append(changes, ListAll(table))
	}
	if len(table.Key) != 1 { // releases of layout 1 listed its runs, and never removed them
		changes = append(changes, "DELETE FROM internal.unsettled WHERE stream = "+schema.Literal(table.Name))
	}
	for _, c := range table.Stored() {
		if !columns[c.Name] {
			changes = append(changes, fmt.Sprintf("ALTER TABLE %s ADD COLUMN %s %s", schema.Ident(table.Name), schema.Ident(c.Name), c.Type.DuckDB()))
		}
	}
	return duckdb.Execute(ctx, tx, append(changes, table.Comments()...)...)
}

// fillPartition gives the rows of a release without the partition column their value.
func fillPartition(ctx context.Context, tx *sql.Tx, table *schema.Table) error {
	c := table.PartitionColumn()
	if c == nil {
		return nil
	}
	_, err := tx.ExecContext(ctx, fmt.Sprintf("UPDATE %[1]s SET %[2]s = %[3]s WHERE %[2]s IS NULL",
		schema.Ident(table.Name), schema.Ident(c.Name), table.PartitionValue(schema.Ident(table.Time))))
	return err
}

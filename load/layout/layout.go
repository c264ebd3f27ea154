// Package layout is what the private file has: its tables, its version, and how a file of an
// older release gets what this one has.
package layout

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"

	"github.com/flashback-sync/flashback-sync/load/derived"
	"github.com/flashback-sync/flashback-sync/load/duckdb"
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

// Unfinished is the suffix of a private file that is being made.
const Unfinished = ".new"

// Rows is the suffix of the folder of what one is made from.
const Rows = Unfinished + ".rows"

// RemoveUnfinished removes what a crash left of a private file that was being made at the
// path. The caller has the lock, so nobody else is making one.
func RemoveUnfinished(path string) error {
	return errors.Join(os.RemoveAll(path+Unfinished), os.RemoveAll(path+Unfinished+".wal"), os.RemoveAll(path+Rows))
}

// Statements make all tables and views.
func Statements() []string {
	statements := slices.Clone(privateTables)
	for _, table := range schema.Tables() {
		statements = append(statements, table.DDL()...)
	}
	return append(statements, derived.ViewStatements()...)
}

// Fill makes a new file a warehouse without rows.
func Fill(ctx context.Context, conn *sql.Conn, release string) error {
	return duckdb.Write(ctx, conn, "fill warehouse", func(tx *sql.Tx) error {
		return duckdb.Execute(ctx, tx, append(Statements(),
			fmt.Sprintf("INSERT INTO internal.meta VALUES ('application', '%s'), ('schema_version', '%d'), ('created_by', %s)",
				application, schema.Version, schema.Literal(release)))...)
	})
}

// Inspect checks an existing warehouse without changing it and returns its schema
// version.
func Inspect(ctx context.Context, path string) (version int, err error) {
	if err := duckdb.CheckFile(ctx, path); err != nil {
		return 0, err
	}
	db, err := duckdb.Open(path, duckdb.Session{ReadOnly: true})
	if err != nil {
		return 0, duckdb.OpenError(path, err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	var owner, text sql.NullString
	err = db.QueryRowContext(ctx, `SELECT max(value) FILTER (key = 'application'), max(value) FILTER (key = 'schema_version') FROM internal.meta`).Scan(&owner, &text)
	switch {
	case ctx.Err() != nil:
		return 0, ctx.Err()
	case err != nil && !duckdb.LacksTable(err):
		return 0, duckdb.OpenError(path, err)
	case owner.String != application:
		return 0, &duckdb.DamagedError{Path: path, Reason: "this is a DuckDB file, but not one that flashback-sync made"}
	}
	return checkVersion(path, text.String)
}

func checkVersion(path, text string) (version int, err error) {
	version, err = strconv.Atoi(text)
	switch {
	case err != nil || version < 1:
		return 0, &duckdb.DamagedError{Path: path, Reason: fmt.Sprintf("its schema version is %q", text)}
	case version > schema.Version:
		reason := fmt.Sprintf("written by a newer release (schema version %d, this release knows %d)", version, schema.Version)
		return 0, &duckdb.DamagedError{Path: path, Reason: reason, Newer: true}
	}
	return version, nil
}

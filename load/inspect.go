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

package duckdb

import (
	"context"
	"database/sql"
	"errors"
)

// Querier is a database, a connection or a transaction that is read.
type Querier interface {
	QueryContext(ctx context.Context, query string, arguments ...any) (*sql.Rows, error)
}

// Execer is a database, a connection or a transaction that is written.
type Execer interface {
	ExecContext(ctx context.Context, statement string, arguments ...any) (sql.Result, error)
}

// ReadRows reads all rows of a query. The columns of a row are scanned to its fields.
func ReadRows[T any](ctx context.Context, db Querier, fields func(row *T) []any, query string, arguments ...any) (all []T, err error) {
	rows, err := db.QueryContext(ctx, query, arguments...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var row T
		if err := rows.Scan(fields(&row)...); err != nil {
			return nil, err
		}
		all = append(all, row)
	}
	return all, rows.Err()
}

// ReadColumn reads the values of a query of one column. Times are in UTC.
func ReadColumn[T any](ctx context.Context, db Querier, query string, arguments ...any) ([]T, error) {
	return ReadRows(ctx, db, func(value *T) []any { return []any{value} }, query, arguments...)
}

// Execute runs statements, up to the first that fails.
func Execute(ctx context.Context, db Execer, statements ...string) error {
	for _, statement := range statements {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

// Transact runs one transaction. What it is doing is said in its error, a *StorageError.
func Transact(ctx context.Context, conn *sql.Conn, doing string, do func(tx *sql.Tx) error) error {
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return Wrap(doing, err)
	}
	if err := do(tx); err != nil {
		_ = tx.Rollback()
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return Wrap(doing, err)
	}
	return Wrap(doing, tx.Commit())
}

// Write runs one transaction, and writes it from the log into the file.
func Write(ctx context.Context, conn *sql.Conn, doing string, do func(tx *sql.Tx) error) error {
	if err := Transact(ctx, conn, doing, do); err != nil {
		return err
	}
	return Wrap(doing, Execute(ctx, conn, "CHECKPOINT"))
}

// Use opens a file as Open does, and closes it when use returns.
func Use(ctx context.Context, path string, s Session, use func(conn *sql.Conn) error) (err error) {
	db, err := Open(path, s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	return errors.Join(use(conn), conn.Close())
}

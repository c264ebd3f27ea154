package load

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strconv"

	"github.com/duckdb/duckdb-go/v2"

	"github.com/flashback-sync/flashback-sync/load/durable"
	"github.com/flashback-sync/flashback-sync/schema"
)

// inspect looks at an existing warehouse without changing it and returns its
// schema version.
func inspect(ctx context.Context, path string) (version int, err error) {
	if err := checkStart(path); err != nil {
		return 0, err
	}
	if err := checkBlocks(ctx, path); err != nil {
		return 0, err
	}
	if err := checkLog(path + ".wal"); err != nil {
		return 0, err
	}
	db, err := OpenDuckDB(path, Session{ReadOnly: true})
	if err != nil {
		return 0, openError(path, err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	var owner, text sql.NullString
	err = db.QueryRowContext(ctx, `SELECT max(value) FILTER (key = 'application'), max(value) FILTER (key = 'schema_version') FROM internal.meta`).Scan(&owner, &text)
	switch {
	case ctx.Err() != nil:
		return 0, ctx.Err()
	case err != nil && !lacksTable(err):
		return 0, openError(path, err)
	case owner.String != application:
		return 0, &DamagedError{Path: path, Reason: "this is a DuckDB file, but not one that flashback-sync made"}
	}
	return checkVersion(path, text.String)
}

// lacksTable reports whether a query failed because the file is a stranger's.
func lacksTable(err error) bool {
	var known *duckdb.Error
	return errors.As(err, &known) && (known.Type == duckdb.ErrorTypeCatalog || known.Type == duckdb.ErrorTypeBinder)
}

func checkVersion(path, text string) (version int, err error) {
	version, err = strconv.Atoi(text)
	switch {
	case err != nil || version < 1:
		return 0, &DamagedError{Path: path, Reason: fmt.Sprintf("its schema version is %q", text)}
	case version > schema.Version:
		reason := fmt.Sprintf("written by a newer release (schema version %d, this release knows %d)", version, schema.Version)
		return 0, &DamagedError{Path: path, Reason: reason, Newer: true}
	}
	return version, nil
}

// checkStart looks for DuckDB's magic bytes.
func checkStart(path string) error {
	start, err := readStart(path, 12)
	if err != nil {
		return storage("open warehouse", err)
	}
	if len(start) < 12 || string(start[8:]) != "DUCK" {
		return &DamagedError{Path: path, Reason: "this is not a DuckDB file, or its first bytes are lost"}
	}
	return nil
}

// logStart is how DuckDB begins its write-ahead log. The log's version follows.
var logStart = []byte{'d', 0, 'b', 'e', 0}

// checkLog looks at the first bytes of the log beside the file. DuckDB checks
// every entry but the first, and takes a log that it cannot begin to read for one
// that a crash cut off: it would drop all that was committed to it. A short log,
// or one of zeros, is what a crash leaves.
func checkLog(path string) error {
	start, err := readStart(path, len(logStart)+1)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return storage("open warehouse", err)
	}
	if len(bytes.Trim(start, "\x00")) == 0 {
		return nil
	}
	known := min(len(start), len(logStart))
	version := byte(2) // that of this release; DuckDB itself refuses those it does not know
	if len(start) > known {
		version = start[known]
	}
	if !bytes.Equal(start[:known], logStart[:known]) || version < 2 || version > 0x7f {
		return &DamagedError{Path: path, Reason: "this is not DuckDB's log, or its first bytes are lost"}
	}
	return nil
}

// readStart reads up to n bytes before DuckDB has the file open: afterwards,
// closing our descriptor would drop its lock.
func readStart(path string, n int) ([]byte, error) {
	file, err := durable.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	start := make([]byte, n)
	read, err := io.ReadFull(file, start)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = nil
	}
	return start[:read], err
}

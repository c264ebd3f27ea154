package duckdb

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/duckdb/duckdb-go/v2"

	"github.com/flashback-sync/flashback-sync/load/durable"
)

// CheckFile checks a closed file before DuckDB opens it for writing: its first bytes, its
// blocks and its log.
func CheckFile(ctx context.Context, path string) error {
	if err := CheckStart(path); err != nil {
		return err
	}
	if err := CheckBlocks(ctx, path); err != nil {
		return err
	}
	return checkLog(path + ".wal")
}

// Readable tries to open a file for reading.
func Readable(ctx context.Context, path string) error {
	if err := CheckStart(path); err != nil {
		return err
	}
	db, err := Open(path, Session{ReadOnly: true})
	if err != nil {
		return OpenError(path, err)
	}
	return errors.Join(db.PingContext(ctx), db.Close())
}

// LacksTable reports whether a query failed because the file lacks a table or a column.
func LacksTable(err error) bool {
	var known *duckdb.Error
	return errors.As(err, &known) && (known.Type == duckdb.ErrorTypeCatalog || known.Type == duckdb.ErrorTypeBinder)
}

// CheckStart looks for DuckDB's magic bytes.
func CheckStart(path string) error {
	start, err := readStart(path, 12)
	if err != nil {
		return Wrap("open warehouse", err)
	}
	if len(start) < 12 || string(start[8:]) != "DUCK" {
		return &DamagedError{Path: path, Reason: "this is not a DuckDB file, or its first bytes are lost"}
	}
	return nil
}

// logStart is the start of DuckDB's write-ahead log. The log's version follows.
var logStart = []byte{'d', 0, 'b', 'e', 0}

// checkLog checks the first bytes of the log beside the file. DuckDB checks every entry
// but the first. If it cannot read the start, it assumes that a crash cut the log off, and
// drops all that was committed to it. A short log, or one of zeros, is what a crash leaves.
func checkLog(path string) error {
	start, err := readStart(path, len(logStart)+1)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return Wrap("open warehouse", err)
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

// RemoveEmptyLog makes sure that a closed file has no log. It refuses one with data, without
// which the file is an older state, or none: it would be lost, or applied to another file.
func RemoveEmptyLog(path string) error {
	for _, suffix := range []string{".wal", ".wal.checkpoint", ".wal.recovery"} {
		info, err := os.Lstat(path + suffix)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			continue
		case err != nil:
			return err
		case info.Size() > 0:
			return fmt.Errorf("%s was not closed: it has a write-ahead log", filepath.Base(path))
		}
		if err := os.Remove(path + suffix); err != nil {
			return err
		}
	}
	return nil
}

package load

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/flashback-sync/flashback-sync/schema"
)

// The layout of a DuckDB file: three headers of 4 KiB, of which the two last take
// turns, then blocks. Headers and blocks begin with a checksum of what follows.
const (
	headerSize = 4096
	firstBlock = 3 * headerSize
)

// layout is what the newest sound header says of the blocks.
type layout struct {
	blocks, size uint64
}

func (l layout) end() uint64 { return firstBlock + l.blocks*l.size }

// layoutOf reads a file's headers. ok is false if neither is sound: DuckDB says so
// better.
func layoutOf(headers []byte) (l layout, ok bool) {
	var newest uint64
	for at := headerSize; at+headerSize <= len(headers); at += headerSize {
		h := headers[at : at+headerSize]
		number := func(i int) uint64 { return binary.LittleEndian.Uint64(h[8*i:]) }
		if number(0) != checksum(h[8:]) || number(1) < newest || number(5) == 0 || number(5) > 1<<24 {
			continue
		}
		newest, ok = number(1), true
		l = layout{blocks: number(4), size: number(5)}
	}
	return l, ok
}

// checksum is DuckDB's.
func checksum(b []byte) uint64 {
	sum := uint64(5381)
	for i := 0; i+8 <= len(b); i += 8 {
		sum ^= binary.LittleEndian.Uint64(b[i:]) * 0xbf58476d1ce4e5b9
	}
	return sum
}

// checkBlocks compares every block of a closed file with its checksum, so that
// damage in old history, which a run does not read, is neither written to nor
// published: DuckDB notices it only when it needs the block. It costs about what
// it costs to read the file. A block that does not match may be one that is not
// used: then DuckDB has the last word.
func checkBlocks(ctx context.Context, path string) error {
	sound, err := blocksMatch(ctx, path)
	var damaged *DamagedError
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &damaged):
		return err
	case err != nil || sound:
		return storage("check warehouse", err)
	}
	if err := readAll(ctx, path); err != nil {
		return openError(path, err)
	}
	return nil
}

func blocksMatch(ctx context.Context, path string) (bool, error) {
	file, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer func() { _ = file.Close() }()
	headers := make([]byte, firstBlock)
	if _, err := io.ReadFull(file, headers); err != nil && !isEnd(err) {
		return false, err
	}
	l, ok := layoutOf(headers)
	if !ok {
		return false, nil
	}
	if info, err := file.Stat(); err != nil || uint64(max(info.Size(), 0)) < l.end() {
		return false, errors.Join(err, &DamagedError{Path: path, Reason: fmt.Sprintf("it is cut off before its end at %d bytes", l.end())})
	}
	block := make([]byte, l.size)
	for range l.blocks {
		if _, err := io.ReadFull(file, block); err != nil {
			return false, err
		}
		if binary.LittleEndian.Uint64(block) != checksum(block[8:]) {
			return false, ctx.Err()
		}
	}
	return true, ctx.Err()
}

func isEnd(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) }

// readAll makes DuckDB read every value of every table.
func readAll(ctx context.Context, path string) (err error) {
	db, err := OpenDuckDB(path, Session{ReadOnly: true, MemoryLimit: defaultMemory})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	tables := map[string][]string{}
	rows, err := db.QueryContext(ctx, "SELECT schema_name, table_name, column_name FROM duckdb_columns() WHERE NOT internal")
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var schemaName, table, column string
		if err := rows.Scan(&schemaName, &table, &column); err != nil {
			return err
		}
		table = schema.Ident(schemaName) + "." + schema.Ident(table)
		tables[table] = append(tables[table], schema.Ident(column))
	}
	if err := rows.Err(); err != nil {
		return err
	}
	for table, columns := range tables {
		var held int64
		query := fmt.Sprintf("SELECT count(hash(%s)) FROM %s", strings.Join(columns, ", "), table)
		if err := db.QueryRowContext(ctx, query).Scan(&held); err != nil {
			return err
		}
	}
	return nil
}

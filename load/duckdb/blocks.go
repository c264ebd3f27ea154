package duckdb

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/flashback-sync/flashback-sync/load/durable"
	"github.com/flashback-sync/flashback-sync/schema"
)

// The layout of a DuckDB file: three headers of 4 KiB, of which the last two are written
// in turns, then blocks. Headers and blocks begin with a checksum of what follows.
const (
	headerSize = 4096
	firstBlock = 3 * headerSize
)

// layout is what the newest valid header says about the blocks.
type layout struct{ blocks, size uint64 }

// layoutOf reads a file's headers. ok is false if neither is valid: DuckDB reports that
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

// checksum is DuckDB's. The race detector would make it twenty times slower.
//
//go:norace
func checksum(b []byte) uint64 {
	sum := uint64(5381)
	for i := 0; i+8 <= len(b); i += 8 {
		sum ^= binary.LittleEndian.Uint64(b[i:]) * 0xbf58476d1ce4e5b9
	}
	return sum
}

// CheckBlocks compares every block of a closed file with its checksum, so that
// damage in old history, which a run does not read, is neither written to nor
// published: DuckDB notices it only when it needs the block. It costs about as much as
// reading the file. Where something does not match, DuckDB reads every value and decides.
func CheckBlocks(ctx context.Context, path string) error {
	sound, err := blocksMatch(ctx, path)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil || sound:
		return Wrap("check warehouse", err)
	}
	if err := readAll(ctx, path); err != nil {
		return OpenError(path, err)
	}
	return nil
}

// blocksMatch compares also the blocks that are not used, which once were.
func blocksMatch(ctx context.Context, path string) (bool, error) {
	file, err := durable.Open(path)
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
	block := make([]byte, l.size)
	for range l.blocks {
		if _, err := io.ReadFull(file, block); err != nil {
			if isEnd(err) {
				err = nil
			}
			return false, err
		}
		if binary.LittleEndian.Uint64(block) != checksum(block[8:]) || ctx.Err() != nil {
			return false, ctx.Err()
		}
	}
	return true, nil
}

func isEnd(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) }

// readAll makes DuckDB read every value of every table.
func readAll(ctx context.Context, path string) (err error) {
	db, err := Open(path, Session{ReadOnly: true, MemoryLimit: LeastMemory})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	tables, err := TablesIn(ctx, db, "current_database()")
	if err != nil {
		return err
	}
	for _, t := range tables {
		var rows int64
		query := fmt.Sprintf("SELECT count(hash(%s)) FROM %s", List(t.Columns, schema.Ident), t.Path())
		if err := db.QueryRowContext(ctx, query).Scan(&rows); err != nil {
			return err
		}
	}
	return nil
}

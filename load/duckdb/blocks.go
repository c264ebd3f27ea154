package duckdb

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/flashback-sync/flashback-sync/internal/crash"
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
type layout struct {
	blocks, size uint64
	free         uint64 // pointer to the list of the blocks that are not used
}

func (l layout) start(block uint64) int64 { return int64(firstBlock + block*l.size) }

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
		l = layout{free: number(3), blocks: number(4), size: number(5)}
	}
	return l, ok
}

// Lists are kept in segments of a block, each of which begins with a pointer to
// the next one. A pointer is the block's number and, in its highest byte, the
// segment's.
const (
	segments = 64
	noBlock  = ^uint64(0)
)

// unused reads which blocks are not used. ok is false if that cannot be read.
func (l layout) unused(file io.ReaderAt) (free map[uint64]bool, ok bool) {
	free = map[uint64]bool{}
	length := (l.size - 8) / segments / 8 * 8
	segment := make([]byte, length)
	left, known := uint64(0), false
	for at, hops := l.free, uint64(0); at != noBlock && hops <= l.blocks; hops++ {
		block, index := at&(1<<56-1), at>>56
		if block >= l.blocks || index >= segments {
			return nil, false
		}
		if _, err := file.ReadAt(segment, l.start(block)+8+int64(index*length)); err != nil {
			return nil, false
		}
		at = binary.LittleEndian.Uint64(segment)
		for i := 8; i+8 <= len(segment); i += 8 {
			number := binary.LittleEndian.Uint64(segment[i:])
			switch {
			case !known:
				left, known = number, true
			case left == 0:
			case number >= l.blocks:
				return nil, false
			default:
				free[number] = true
				left--
			}
			if known && left == 0 {
				return free, true
			}
		}
	}
	return free, l.free == noBlock
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
	var damaged *DamagedError
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &damaged):
		return err
	case err != nil || sound:
		return Wrap("check warehouse", err)
	}
	if err := readAll(ctx, path); err != nil {
		return OpenError(path, err)
	}
	return nil
}

// blocksMatch compares the blocks that are used.
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
	unused, ok := l.unused(file)
	if !ok {
		return false, nil
	}
	return l.match(ctx, path, file, unused)
}

// match compares the blocks, two at a time: every run waits for it.
func (l layout) match(ctx context.Context, path string, file io.ReaderAt, unused map[uint64]bool) (bool, error) {
	var next atomic.Uint64
	var differs atomic.Bool
	group, working := errgroup.WithContext(ctx)
	for range 2 {
		group.Go(func() error {
			defer crash.Exit()
			block := make([]byte, l.size)
			for n := next.Add(1) - 1; n < l.blocks && !differs.Load() && working.Err() == nil; n = next.Add(1) - 1 {
				if unused[n] {
					continue
				}
				if _, err := file.ReadAt(block, l.start(n)); isEnd(err) {
					return &DamagedError{Path: path, Reason: "it is cut off: a block that is used is beyond its end"}
				} else if err != nil {
					return err
				}
				if binary.LittleEndian.Uint64(block) != checksum(block[8:]) {
					differs.Store(true)
				}
			}
			return nil
		})
	}
	err := group.Wait()
	return !differs.Load(), cmp.Or(err, ctx.Err())
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

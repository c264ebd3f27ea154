package hashset

import (
	"bufio"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"os"
	"slices"

	"github.com/cespare/xxhash/v2"
)

// A block is as many hashes as fit, in order, and a checksum. The last block of a run
// is filled up with zeros.
const (
	blockSize = 4096
	perBlock  = blockSize/8 - 1
)

// ErrDamaged says that a file is not what it was when it was written.
var ErrDamaged = errors.New("damaged")

// run is a file of hashes in ascending order, each of them once. It is used by one
// goroutine.
type run struct {
	file   *os.File
	id     uint64
	hashes int64

	at    int64 // number of the block that is loaded; -1 for none
	block []uint64
	raw   []byte
}

// nameOf is a run's file name.
func nameOf(id uint64) string { return fmt.Sprintf("%016x", id) }

// openRun opens a run for reading. Its length must be right.
func openRun(folder *os.Root, id uint64, hashes int64) (*run, error) {
	info, err := folder.Lstat(nameOf(id)) // before it is opened: a named pipe would wait
	if err != nil {
		return nil, err
	}
	r := &run{id: id, hashes: hashes, at: -1}
	if hashes <= 0 || !info.Mode().IsRegular() || info.Size() != r.blocks()*blockSize {
		return nil, fmt.Errorf("%s: %w", nameOf(id), ErrDamaged)
	}
	r.file, err = folder.Open(nameOf(id))
	return r, err
}

func (r *run) blocks() int64 { return (r.hashes + perBlock - 1) / perBlock }

// load reads a block, unless it is the one read last.
func (r *run) load(at int64) error {
	if at == r.at {
		return nil
	}
	if r.raw == nil {
		r.raw, r.block = make([]byte, blockSize), make([]uint64, 0, perBlock)
	}
	r.at = -1
	if _, err := r.file.ReadAt(r.raw, at*blockSize); err != nil && !errors.Is(err, io.EOF) {
		return err
	} else if err != nil || binary.LittleEndian.Uint64(r.raw[perBlock*8:]) != checksum(r.id, at, r.raw) {
		return fmt.Errorf("%s, block %d: %w", nameOf(r.id), at, ErrDamaged)
	}
	held := min(perBlock, r.hashes-at*perBlock)
	r.block = r.block[:held]
	for i := range r.block {
		r.block[i] = binary.LittleEndian.Uint64(r.raw[8*i:])
	}
	r.at = at
	return nil
}

// checksum is of a block in its place: the same block elsewhere has another.
func checksum(id uint64, at int64, raw []byte) uint64 {
	return xxhash.Sum64(raw[:perBlock*8]) ^ (id + uint64(at)*0x9e3779b97f4a7c15)
}

// has looks a hash up. It costs least if hashes are asked for in order.
func (r *run) has(hash uint64) (bool, error) {
	low, high := int64(0), r.blocks()-1
	each := ^uint64(0)/uint64(r.blocks()) + 1 // what a block spans, on average
	at := int64(spread(hash, uint64(r.blocks())))
	if r.at >= 0 && len(r.block) > 0 && r.block[0] <= hash {
		low = r.at
		if hash <= r.block[len(r.block)-1] {
			at = low
		}
	}
	for step := 0; low <= high; step++ {
		at = min(max(at, low), high)
		if err := r.load(at); err != nil {
			return false, err
		}
		first, last := r.block[0], r.block[len(r.block)-1]
		switch {
		case hash < first:
			high = at - 1
			at -= 1 + blocksOf(first-hash, each)
		case hash > last:
			low = at + 1
			at += 1 + blocksOf(hash-last, each)
		default:
			_, found := slices.BinarySearch(r.block, hash)
			return found, nil
		}
		if step > 8 { // they are not spread evenly
			at = low + (high-low)/2
		}
	}
	return false, nil
}

// spread maps hashes evenly to numbers below n.
func spread(hash, n uint64) uint64 {
	high, _ := bits.Mul64(hash, n)
	return high
}

func blocksOf(distance, each uint64) int64 {
	if each == 0 { // a single block spans everything
		return 0
	}
	return int64(distance / each)
}

// remove closes the file and deletes it.
func (r *run) remove(folder *os.Root) error {
	return errors.Join(r.file.Close(), folder.Remove(nameOf(r.id)))
}

// writer writes a run.
type writer struct {
	run    *run
	buffer *bufio.Writer
	raw    []byte
}

func newWriter(folder *os.Root) (*writer, error) {
	var random [8]byte
	_, _ = rand.Read(random[:]) // never fails
	id := binary.LittleEndian.Uint64(random[:])
	file, err := folder.OpenFile(nameOf(id), os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o640)
	if err != nil {
		return nil, err
	}
	return &writer{
		run:    &run{file: file, id: id, at: -1},
		buffer: bufio.NewWriterSize(file, 16*blockSize), raw: make([]byte, 0, blockSize),
	}, nil
}

// put adds a hash that is larger than those before.
func (w *writer) put(hash uint64) error {
	w.raw = binary.LittleEndian.AppendUint64(w.raw, hash)
	w.run.hashes++
	if len(w.raw) < perBlock*8 {
		return nil
	}
	return w.endBlock()
}

func (w *writer) endBlock() error {
	at := w.run.blocks() - 1
	w.raw = w.raw[:perBlock*8]
	sum := checksum(w.run.id, at, w.raw)
	_, err := w.buffer.Write(binary.LittleEndian.AppendUint64(w.raw, sum))
	clear(w.raw[:blockSize])
	w.raw = w.raw[:0]
	return err
}

// finish ends the run; nil if nothing was put. If anything failed, the file is gone.
func (w *writer) finish(folder *os.Root, err error) (*run, error) {
	if err == nil && len(w.raw) > 0 {
		err = w.endBlock()
	}
	if err == nil {
		err = w.buffer.Flush()
	}
	if err != nil || w.run.hashes == 0 {
		return nil, errors.Join(err, w.run.remove(folder))
	}
	return w.run, nil
}

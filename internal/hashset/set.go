package hashset

import (
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"slices"
	"strconv"
)

// Set is used by one goroutine. After an error it is of no use.
type Set struct {
	folder *os.Root // several sets may share it
	runs   []*run   // no hash is in two of them; each is more than twice as large as the next
	fresh  []uint64 // what was added since Settle,
	spilt  []*run   // and what was more than is kept in memory
	twice  bool     // something of it was added twice
}

// Mark says what a set holds once it is settled.
type Mark []RunMark

// RunMark says what one file holds.
type RunMark struct {
	File   string `json:"file"` // its name
	Hashes int64  `json:"hashes"`
}

// New returns an empty set. The folder stays the caller's.
func New(folder *os.Root) *Set { return &Set{folder: folder} }

// Open opens the set that a mark describes.
func Open(folder *os.Root, mark Mark) (*Set, error) {
	s := New(folder)
	for _, m := range mark {
		id, err := strconv.ParseUint(m.File, 16, 64)
		if err == nil && nameOf(id) != m.File {
			err = fmt.Errorf("%q names no file of a set: %w", m.File, ErrDamaged)
		}
		var opened *run
		if err == nil {
			opened, err = openRun(folder, id, m.Hashes)
		}
		if err != nil {
			return nil, errors.Join(err, s.Close())
		}
		s.runs = append(s.runs, opened)
	}
	return s, nil
}

// inMemory is how many added hashes are kept in memory.
const inMemory = 1 << 17

// Add adds hashes, which may be there already. Settle takes them into the set.
func (s *Set) Add(hashes ...uint64) error {
	for len(hashes) > 0 {
		some := min(len(hashes), inMemory-len(s.fresh))
		s.fresh = append(s.fresh, hashes[:some]...)
		hashes = hashes[some:]
		if len(s.fresh) < inMemory {
			continue
		}
		if err := s.spill(); err != nil {
			return err
		}
	}
	return nil
}

// Settled reports whether nothing was added since Settle.
func (s *Set) Settled() bool { return len(s.fresh)+len(s.spilt) == 0 }

// Settle takes what was added into the set. It reports whether anything of it was
// there before, or was added twice.
func (s *Set) Settle() (repeated bool, err error) {
	if s.Settled() {
		return false, nil
	}
	if len(s.spilt) > 0 && len(s.fresh) > 0 {
		if err := s.spill(); err != nil {
			return false, err
		}
	}
	slices.Sort(s.fresh)
	repeated = s.twice
	added, err := s.write(s.added(), func(hash uint64, last bool) (bool, error) {
		held, err := last, error(nil)
		for i := 0; i < len(s.runs) && !held && err == nil; i++ {
			held, err = s.runs[i].has(hash)
		}
		repeated = repeated || held
		return !held, err
	})
	if err != nil {
		return false, err
	}
	for _, r := range s.spilt {
		if err := r.remove(s.folder); err != nil {
			return false, err
		}
	}
	s.fresh, s.spilt, s.twice = s.fresh[:0], nil, false
	if added != nil {
		s.runs = append(s.runs, added)
	}
	return repeated, s.compact()
}

// added yields what was added, in order.
func (s *Set) added() iter.Seq2[uint64, error] {
	if len(s.spilt) > 0 {
		return merge(s.spilt)
	}
	return listed(s.fresh)
}

func listed(hashes []uint64) iter.Seq2[uint64, error] {
	return func(yield func(uint64, error) bool) {
		for _, hash := range hashes {
			if !yield(hash, nil) {
				return
			}
		}
	}
}

// spill writes what is in memory to a file.
func (s *Set) spill() error {
	slices.Sort(s.fresh)
	spilt, err := s.write(listed(s.fresh), func(_ uint64, last bool) (bool, error) {
		s.twice = s.twice || last
		return !last, nil
	})
	if err != nil {
		return err
	}
	s.spilt, s.fresh = append(s.spilt, spilt), s.fresh[:0]
	return nil
}

// write writes a run of those hashes that are wanted, nil if there are none. last
// tells whether a hash is the one before it.
func (s *Set) write(hashes iter.Seq2[uint64, error], want func(hash uint64, last bool) (bool, error)) (*run, error) {
	w, err := newWriter(s.folder)
	if err != nil {
		return nil, err
	}
	var before uint64
	begun := false
	for hash, failure := range hashes {
		var wanted bool
		if err = failure; err == nil {
			wanted, err = want(hash, begun && hash == before)
		}
		if err == nil && wanted {
			err = w.put(hash)
		}
		if err != nil {
			break
		}
		before, begun = hash, true
	}
	return w.finish(s.folder, err)
}

// compact merges runs until each is more than twice as large as the next.
func (s *Set) compact() error {
	for n := len(s.runs); n > 1 && s.runs[n-2].hashes <= 2*s.runs[n-1].hashes; n = len(s.runs) {
		last := s.runs[n-2:]
		merged, err := s.write(merge(last), func(_ uint64, last bool) (bool, error) { return !last, nil })
		if err != nil {
			return err
		}
		for _, r := range last {
			if err := r.remove(s.folder); err != nil {
				return errors.Join(err, merged.file.Close())
			}
		}
		s.runs = append(s.runs[:n-2], merged)
	}
	return nil
}

// merge yields the hashes of runs in order, those of several runs several times.
func merge(runs []*run) iter.Seq2[uint64, error] {
	return func(yield func(uint64, error) bool) {
		heads := make([]*head, len(runs))
		for i, r := range runs {
			heads[i] = &head{run: r}
		}
		for {
			var least *head
			for _, h := range heads {
				if ok, err := h.look(); err != nil {
					yield(0, err)
					return
				} else if ok && (least == nil || h.hash < least.hash) {
					least = h
				}
			}
			if least == nil || !yield(least.hash, nil) {
				return
			}
			least.next++
		}
	}
}

// head is the next hash of a run that is being merged.
type head struct {
	*run
	next int64
	hash uint64
}

// look reads the next hash; ok is false at the end.
func (h *head) look() (ok bool, err error) {
	if h.next >= h.hashes {
		return false, nil
	}
	if err := h.load(h.next / perBlock); err != nil {
		return false, err
	}
	h.hash = h.block[h.next%perBlock]
	return true, nil
}

// Mark says what the settled set holds. Nothing is synced: what a power cut takes of
// its files does not match their checksums.
func (s *Set) Mark() (Mark, error) {
	if !s.Settled() {
		return nil, errors.New("the set is not settled")
	}
	mark := Mark{}
	for _, r := range s.runs {
		mark = append(mark, RunMark{nameOf(r.id), r.hashes})
	}
	return mark, nil
}

// Close closes the files, and removes those that no mark will name.
func (s *Set) Close() error {
	var err error
	for _, r := range s.runs {
		err = errors.Join(err, r.file.Close())
	}
	for _, r := range s.spilt {
		err = errors.Join(err, r.remove(s.folder))
	}
	s.runs, s.spilt, s.fresh = nil, nil, nil
	return err
}

// Sweep removes every file of the folder that no mark names.
func Sweep(folder *os.Root, kept ...Mark) error {
	names := map[string]bool{}
	for _, mark := range kept {
		for _, m := range mark {
			names[m.File] = true
		}
	}
	entries, err := fs.ReadDir(folder.FS(), ".")
	for _, entry := range entries {
		if !names[entry.Name()] {
			err = errors.Join(err, folder.RemoveAll(entry.Name()))
		}
	}
	return err
}

package hashset_test

import (
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/flashback-sync/flashback-sync/internal/hashset"
)

func folder(t testing.TB) *os.Root {
	t.Helper()
	root, err := os.OpenRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = root.Close() })
	return root
}

func settle(t testing.TB, s *hashset.Set, hashes ...uint64) (repeated bool) {
	t.Helper()
	if err := s.Add(hashes...); err != nil {
		t.Fatal(err)
	}
	repeated, err := s.Settle()
	if err != nil {
		t.Fatal(err)
	}
	return repeated
}

// reopen closes a set and opens it by its mark.
func reopen(t testing.TB, root *os.Root, s *hashset.Set) (*hashset.Set, hashset.Mark) {
	t.Helper()
	mark, err := s.Mark()
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(s.Close(), hashset.Sweep(root, mark)); err != nil {
		t.Fatal(err)
	}
	s, err = hashset.Open(root, mark)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s, mark
}

// TestItTellsWhatWasThereBefore compares it with a map, over batches of all sizes
// of hashes that are spread evenly, or all lie together.
func TestItTellsWhatWasThereBefore(t *testing.T) {
	for seed := range uint64(60) {
		rng := rand.New(rand.NewPCG(seed, 1))
		shift := []int{0, 0, 20, 44, 63}[rng.IntN(5)]
		draw := func() uint64 {
			if hash := rng.Uint64(); rng.IntN(1000) > 0 {
				return hash >> shift
			}
			return []uint64{0, 1, ^uint64(0), ^uint64(0) - 1}[rng.IntN(4)]
		}
		root := folder(t)
		s, held := hashset.New(root), map[uint64]bool{}
		for step := range 30 {
			batch := make([]uint64, rng.IntN(1<<rng.IntN(13)))
			want := false
			for i := range batch {
				batch[i] = draw()
				for try := 0; try < 50 && held[batch[i]] && rng.IntN(200) > 0; try++ {
					batch[i] = draw()
				}
				want = want || held[batch[i]]
				held[batch[i]] = true
			}
			if got := settle(t, s, batch...); got != want {
				t.Fatalf("seed %d, step %d: repeated is %v", seed, step, got)
			}
			if rng.IntN(4) == 0 {
				s, _ = reopen(t, root, s)
			}
		}
		_, mark := reopen(t, root, s)
		var hashes int64
		for i, m := range mark {
			hashes += m.Hashes
			if i > 0 && m.Hashes*2 >= mark[i-1].Hashes {
				t.Errorf("seed %d: runs of %+v", seed, mark)
			}
		}
		if hashes != int64(len(held)) {
			t.Fatalf("seed %d: %d hashes are held, want %d", seed, hashes, len(held))
		}
	}
}

// TestMoreThanFitsInMemory adds so much at once that parts of it go to disk.
func TestMoreThanFitsInMemory(t *testing.T) {
	root := folder(t)
	s, rng := hashset.New(root), rand.New(rand.NewPCG(1, 2))
	many := make([]uint64, 1_200_000)
	for i := range many {
		many[i] = rng.Uint64()
	}
	if settle(t, s, many...) {
		t.Error("something counts as repeated")
	}
	s, mark := reopen(t, root, s)
	if len(mark) != 1 || mark[0].Hashes != int64(len(many)) {
		t.Errorf("%+v", mark)
	}
	for _, i := range []int{0, 1, 599_999, len(many) - 1} {
		if !settle(t, s, many[i]) {
			t.Errorf("hash %d is not found", i)
		}
	}
	if settle(t, s, rng.Uint64(), rng.Uint64()) {
		t.Error("new hashes count as repeated")
	}
	apart := append([]uint64{7}, many[:900_000]...) // far enough to go to disk in different parts
	for i := range apart[1:] {
		apart[i+1]++
	}
	if !settle(t, hashset.New(root), append(apart, 7)...) {
		t.Error("a hash that was added twice, far apart, is not found")
	}
	entries, err := os.ReadDir(root.Name())
	if err != nil || len(entries) != 3 {
		t.Errorf("%d files, %v", len(entries), err)
	}
}

// TestWhatIsNotSettledIsNotMarked: a mark that named less than was added would deny
// what was there.
func TestWhatIsNotSettledIsNotMarked(t *testing.T) {
	s := hashset.New(folder(t))
	settle(t, s, 1, 2, 3)
	if err := s.Add(4); err != nil {
		t.Fatal(err)
	}
	if mark, err := s.Mark(); err == nil {
		t.Errorf("%+v", mark)
	}
}

// TestDamageIsFound alters every part of a file: a hash that is there is found, or
// it is said that the file is damaged.
func TestDamageIsFound(t *testing.T) {
	root := folder(t)
	s, rng := hashset.New(root), rand.New(rand.NewPCG(3, 4))
	held := make([]uint64, 3000)
	for i := range held {
		held[i] = rng.Uint64()
	}
	settle(t, s, held...)
	_, mark := reopen(t, root, s)
	path := filepath.Join(root.Name(), mark[0].File)
	sound, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	block := func(n int) []byte { return sound[n*4096 : (n+1)*4096] }
	swapped := append(append(append([]byte{}, block(1)...), block(0)...), sound[2*4096:]...)
	spoilt := map[string][]byte{
		"cut": sound[:len(sound)-1], "longer": append(append([]byte{}, sound...), 0), "swapped blocks": swapped,
		"a block of zeros": append(make([]byte, 4096), sound[4096:]...), "empty": {},
	}
	for range 200 {
		flipped := append([]byte{}, sound...)
		flipped[rng.IntN(len(flipped))] ^= 1 << rng.IntN(8)
		spoilt["flipped "+string(rune('a'+len(spoilt)))] = flipped
	}
	for name, content := range spoilt {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		damaged := false
		s, err := hashset.Open(root, mark)
		damaged = errors.Is(err, hashset.ErrDamaged)
		for i := 0; i < len(held) && err == nil; i += 7 {
			if err = s.Add(held[i]); err != nil {
				break
			}
			var repeated bool
			if repeated, err = s.Settle(); err == nil && !repeated {
				t.Fatalf("%s: a hash that is held is denied", name)
			}
			damaged = damaged || errors.Is(err, hashset.ErrDamaged)
		}
		if err != nil && !damaged {
			t.Errorf("%s: %v", name, err)
		}
		if s != nil {
			_ = s.Close()
		}
	}
}

// TestAMarkNamesOnlyFilesOfASet: it comes from a file, and may say anything.
func TestAMarkNamesOnlyFilesOfASet(t *testing.T) {
	root := folder(t)
	s := hashset.New(root)
	settle(t, s, 1)
	_, mark := reopen(t, root, s)
	name := mark[0].File
	pipe := "00000000000000aa" // opening it would wait for a writer
	if err := syscall.Mkfifo(filepath.Join(root.Name(), pipe), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, hostile := range []hashset.RunMark{
		{File: "../" + name, Hashes: 1},
		{File: "", Hashes: 1},
		{File: "./" + name, Hashes: 1},
		{File: "0" + name, Hashes: 1},
		{File: "ffffffffffffffff", Hashes: 1},
		{File: name, Hashes: -1},
		{File: name, Hashes: 0},
		{File: name, Hashes: 1 << 62},
		{File: name, Hashes: 512},
		{File: pipe, Hashes: 1},
	} {
		if _, err := hashset.Open(root, hashset.Mark{hostile}); err == nil {
			t.Errorf("%+v is opened", hostile)
		}
	}
}

// BenchmarkSettle looks for new hashes in a set that holds many.
func BenchmarkSettle(b *testing.B) {
	for _, held := range []int{100_000, 1_000_000, 10_000_000} {
		b.Run(map[int]string{100_000: "held=100k", 1_000_000: "held=1M", 10_000_000: "held=10M"}[held], func(b *testing.B) {
			if testing.Short() && held > 1_000_000 {
				b.Skip("takes seconds to fill")
			}
			root := folder(b)
			s, rng := hashset.New(root), rand.New(rand.NewPCG(5, 6))
			batch := make([]uint64, held)
			for i := range batch {
				batch[i] = rng.Uint64()
			}
			settle(b, s, batch...)
			for b.Loop() {
				for i := range batch[:10_000] {
					batch[i] = rng.Uint64()
				}
				if settle(b, s, batch[:10_000]...) {
					b.Fatal("repeated")
				}
			}
		})
	}
}

// BenchmarkFill is what a first sync takes, per hash.
func BenchmarkFill(b *testing.B) {
	rng := rand.New(rand.NewPCG(7, 8))
	many := make([]uint64, 1_000_000)
	for b.Loop() {
		for i := range many {
			many[i] = rng.Uint64()
		}
		settle(b, hashset.New(folder(b)), many...)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(many)), "ns/hash")
}

package load_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/flashback-sync/flashback-sync/load"
	"github.com/flashback-sync/flashback-sync/schema"
)

// writing opens a warehouse as a run does, at a time.
func writing(t testing.TB, dir string, now time.Time) *load.Warehouse {
	t.Helper()
	w, err := load.Open(context.Background(), load.Options{Dir: dir, Version: "test", Writing: true, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	return w
}

// ended settles, copies and seals, as a run does at its end.
func ended(t testing.TB, w *load.Warehouse, dir, run string) {
	t.Helper()
	ctx := context.Background()
	_, err := w.Settle(ctx, run, schema.Alerts())
	if err == nil {
		err = w.CloseFile(ctx)
	}
	if err == nil {
		err = finishCopy(t, w, dir)
	}
	w.Seal()
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
}

// finishCopy makes of a copy what is published.
func finishCopy(t testing.TB, w *load.Warehouse, dir string) error {
	t.Helper()
	content, err := os.ReadFile(load.File(dir))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "copy")
	overwrite(t, path, content)
	return w.FinishCopy(context.Background(), path)
}

// sealedWarehouse is a warehouse of some blocks as a run left it.
func sealedWarehouse(t testing.TB) (dir string) {
	t.Helper()
	dir = t.TempDir()
	w := writing(t, dir, epoch)
	for day := range 3 {
		commit(t, w, "run-1", many(t, day, 2000))
	}
	ended(t, w, dir, "run-1")
	return dir
}

// sealOf reads a seal, or nil if there is none.
func sealOf(t testing.TB, dir string) map[string]any {
	t.Helper()
	content, err := os.ReadFile(load.File(dir) + ".seal")
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	var seal map[string]any
	decoder := json.NewDecoder(bytes.NewReader(content))
	decoder.UseNumber() // nanoseconds are more than a float holds
	if err := errors.Join(err, decoder.Decode(&seal)); err != nil {
		t.Fatal(err)
	}
	return seal
}

func putSeal(t testing.TB, dir string, seal map[string]any) {
	t.Helper()
	content, err := json.Marshal(seal)
	if err == nil {
		err = os.WriteFile(load.File(dir)+".seal", content, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// forge makes the seal describe the file as it is now, as if its bits had rotted.
func forge(t testing.TB, dir string) {
	t.Helper()
	var s syscall.Stat_t
	if err := syscall.Lstat(load.File(dir), &s); err != nil {
		t.Fatal(err)
	}
	seal := sealOf(t, dir)
	seal["file"] = map[string]any{
		"Device": json.Number(fmt.Sprint(s.Dev)), "Inode": json.Number(fmt.Sprint(s.Ino)), "Size": s.Size,
		"Modified": json.Number(fmt.Sprint(s.Mtim.Nano())), "Changed": json.Number(fmt.Sprint(s.Ctim.Nano())),
	}
	putSeal(t, dir, seal)
}

// spoilOldest flips a byte in the block that holds the text of the oldest rows, which a
// run does not read.
func spoilOldest(t testing.TB, dir string) {
	t.Helper()
	file, err := os.OpenFile(load.File(dir), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	at := int64(headers + 1*blockSize + 5000)
	one := make([]byte, 1)
	if _, err := file.ReadAt(one, at); err != nil {
		t.Fatal(err)
	}
	one[0] ^= 0x40
	if _, err := file.WriteAt(one, at); err != nil {
		t.Fatal(err)
	}
}

// A file that anybody wrote to since it was sealed is read before it is opened.
func TestASealHoldsNoLongerThanTheFileIsAsItWas(t *testing.T) {
	later := epoch.Add(time.Hour)
	for name, test := range map[string]struct {
		change  func(t *testing.T, dir string)
		now     time.Time
		damaged bool
	}{
		"nothing changed":       {func(*testing.T, string) {}, later, false},
		"rotted":                {rot, later, false}, // nobody can know, until it is read
		"a byte flipped":        {func(t *testing.T, dir string) { spoilOldest(t, dir) }, later, true},
		"and its time put back": {spoilInSecret, later, true},
		"another file there": {func(t *testing.T, dir string) {
			content := flipped(contents(t, load.File(dir)), headers+blockSize+5000)
			if err := os.Remove(load.File(dir)); err != nil {
				t.Fatal(err)
			}
			overwrite(t, load.File(dir), content)
		}, later, true},
		"cut": {func(t *testing.T, dir string) {
			content := contents(t, load.File(dir))
			overwrite(t, load.File(dir), content[:len(content)-1])
		}, later, true},
		"rotted, a week ago":        {rot, epoch.Add(8 * 24 * time.Hour), true},
		"rotted, the clock is back": {rot, epoch.Add(-time.Second), true},
		"rotted, and no seal": {func(t *testing.T, dir string) {
			rot(t, dir)
			if err := os.Remove(load.File(dir) + ".seal"); err != nil {
				t.Fatal(err)
			}
		}, later, true},
		"rotted, and half a seal": {func(t *testing.T, dir string) {
			rot(t, dir)
			overwrite(t, load.File(dir)+".seal", contents(t, load.File(dir)+".seal")[:40])
		}, later, true},
		"rotted, and the seal of another release": {func(t *testing.T, dir string) {
			rot(t, dir)
			seal := sealOf(t, dir)
			seal["schema_version"] = schema.Version + 1
			putSeal(t, dir, seal)
		}, later, true},
		"rotted, and there is a log": {func(t *testing.T, dir string) {
			rot(t, dir)
			overwrite(t, load.File(dir)+".wal", []byte{'d', 0, 'b', 'e', 0, 2})
		}, later, true},
	} {
		t.Run(name, func(t *testing.T) {
			dir := sealedWarehouse(t)
			if sealOf(t, dir) == nil {
				t.Fatal("a run leaves no seal")
			}
			test.change(t, dir)
			before := contents(t, load.File(dir))
			w, err := load.Open(context.Background(), load.Options{Dir: dir, Writing: true, Now: func() time.Time { return test.now }})
			var damaged *load.DamagedError
			if errors.As(err, &damaged) != test.damaged || (err == nil) == test.damaged {
				t.Errorf("%v", err)
			}
			if err == nil {
				if sealOf(t, dir) != nil {
					t.Error("the seal stands while the file is open")
				}
				_ = w.Close()
			} else if string(before) != string(contents(t, load.File(dir))) {
				t.Error("the file was changed")
			}
		})
	}
}

func spoilInSecret(t *testing.T, dir string) {
	info, err := os.Stat(load.File(dir))
	if err != nil {
		t.Fatal(err)
	}
	spoilOldest(t, dir)
	if err := os.Chtimes(load.File(dir), info.ModTime(), info.ModTime()); err != nil {
		t.Fatal(err)
	}
}

func rot(t *testing.T, dir string) {
	spoilOldest(t, dir)
	forge(t, dir)
}

// Bits that rot change nothing that the system knows of a file. They are found before
// the copy takes the place of what is published.
func TestRottenBitsAreNotPublished(t *testing.T) {
	ctx := context.Background()
	dir := sealedWarehouse(t)
	rot(t, dir)
	w := writing(t, dir, epoch.Add(time.Hour)) // trusts the seal
	commit(t, w, "run-2", many(t, 5, 10))
	if err := w.CloseFile(ctx); err != nil {
		t.Fatal(err)
	}
	err := finishCopy(t, w, dir)
	var damaged *load.DamagedError
	if !errors.As(err, &damaged) || damaged.Path != load.File(dir) || strings.Contains(err.Error(), "copy") {
		t.Errorf("%v", err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := load.Open(ctx, load.Options{Dir: dir}); !errors.As(err, &damaged) {
		t.Errorf("the next run: %v", err)
	}
}

// A week of runs that publish nothing does not hand a seal on for ever.
func TestASealIsHandedOnAndRunsOut(t *testing.T) {
	ctx := context.Background()
	dir := sealedWarehouse(t)
	for day := 1; day <= 6; day++ {
		w := writing(t, dir, epoch.AddDate(0, 0, day))
		if err := w.CloseFile(ctx); err != nil {
			t.Fatal(err)
		}
		w.Seal()
		_ = w.Close()
		if checked := sealOf(t, dir)["checked_at"]; checked != epoch.Format(time.RFC3339) {
			t.Fatalf("day %d: checked at %v", day, checked)
		}
	}
	rot(t, dir)
	_, err := load.Open(ctx, load.Options{Dir: dir, Now: func() time.Time { return epoch.AddDate(0, 0, 8) }})
	var damaged *load.DamagedError
	if !errors.As(err, &damaged) {
		t.Errorf("%v", err)
	}
}

// TestNoIDStandsTwice moves rows about over many runs that end in all ways, and spoils
// what is known of ids in between.
func TestNoIDStandsTwice(t *testing.T) {
	for seed := range uint64(3) {
		rng := rand.New(rand.NewPCG(seed, 3))
		dir, next, known := t.TempDir(), 0, 0
		held := map[string]alert{}
		for run := range 12 {
			name := fmt.Sprintf("run-%02d", run)
			w := writing(t, dir, epoch.AddDate(1, 0, 0).Add(time.Duration(run)*time.Hour))
			for range 1 + rng.IntN(3) {
				rows := map[string]alert{}
				for range rng.IntN(40) {
					id := fmt.Sprint(next)
					if next++; rng.IntN(12) == 0 {
						id = fmt.Sprint(rng.IntN(next)) // known, perhaps, and elsewhere
					}
					rows[id] = alert{id, epoch.AddDate(0, 0, rng.IntN(300)), name}
				}
				var list []alert
				for id, row := range rows {
					list, held[id] = append(list, row), row
				}
				if len(list) > 0 {
					commit(t, w, name, batch(t, list...))
				}
			}
			switch rng.IntN(4) {
			case 0: // killed
				_ = w.Close()
				continue
			case 1: // a disk that gives nothing back
				spoil, _ := filepath.Glob(filepath.Join(dir, "state", "ids", "*"))
				for _, path := range spoil {
					if rng.IntN(2) == 0 {
						_ = os.Truncate(path, rng.Int64N(5000))
					}
				}
			}
			ended(t, w, dir, name)
			var hashes int64
			marks, _ := sealOf(t, dir)["ids"].(map[string]any)
			runs, _ := marks["alerts"].([]any)
			for _, one := range runs {
				count, _ := one.(map[string]any)["hashes"].(json.Number).Int64()
				hashes += count
			}
			if hashes == int64(len(held)) {
				known++
			} else if runs != nil && hashes < int64(len(held)) {
				t.Fatalf("seed %d, %s: %v ids are known, %d are held", seed, name, hashes, len(held))
			}
			var want []string
			for id, row := range held {
				want = append(want, fmt.Sprint(id, " ", row.at.Unix()))
			}
			slices.Sort(want)
			if got := query(t, dir, "SELECT string_agg(id || ' ' || epoch(timestamp)::BIGINT, ';' ORDER BY id || ' ' || epoch(timestamp)::BIGINT) FROM alerts"); got != strings.Join(want, ";") {
				t.Fatalf("seed %d, %s: holds %s, want %s", seed, name, got, strings.Join(want, ";"))
			}
		}
		if known == 0 {
			t.Errorf("seed %d: no run knew its ids", seed)
		}
	}
}

// The hashes decide: were they not to hold what the table holds, a row could stand
// twice. This is to see that they are asked at all.
func TestSettleAsksTheHashesFirst(t *testing.T) {
	dir := sealedWarehouse(t)
	seal := sealOf(t, dir)
	seal["ids"] = map[string]any{"alerts": []any{}} // a lie: none is known
	putSeal(t, dir, seal)
	w := writing(t, dir, epoch.Add(time.Hour))
	commit(t, w, "run-2", batch(t, alert{"0-1", epoch.AddDate(0, 3, 0), "x"}))
	ended(t, w, dir, "run-2")
	if got := query(t, dir, "SELECT count(*) FROM alerts WHERE id = '0-1'"); got != "2" {
		t.Errorf("%s rows", got)
	}
}

// BenchmarkIncrement commits and settles a batch on histories of several lengths.
func BenchmarkIncrement(b *testing.B) {
	for _, days := range []int{5, 200} {
		b.Run(fmt.Sprintf("rows=%d", days*2000), func(b *testing.B) {
			dir := b.TempDir()
			w := writing(b, dir, epoch)
			for day := range days {
				commit(b, w, "run-1", many(b, day, 2000))
			}
			ended(b, w, dir, "run-1")
			for n := 0; b.Loop(); n++ {
				w := writing(b, dir, epoch.Add(time.Duration(n)*time.Minute))
				commit(b, w, fmt.Sprint("run ", n), many(b, days+n, 100))
				if _, err := w.Settle(context.Background(), fmt.Sprint("run ", n), schema.Alerts()); err != nil {
					b.Fatal(err)
				}
				if err := w.CloseFile(context.Background()); err != nil {
					b.Fatal(err)
				}
				w.Seal()
				_ = w.Close()
			}
		})
	}
}

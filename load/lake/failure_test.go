package lake_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/flashback-sync/flashback-sync/load"
	"github.com/flashback-sync/flashback-sync/load/lake"
	"github.com/flashback-sync/flashback-sync/schema"
)

// failing is a warehouse whose reading ends after some files, or some batches of
// rows that it does not copy.
type failing struct {
	*load.Warehouse
	after   atomic.Int64
	end     func() error // nil: go on
	decline bool
}

func (f *failing) Copy(ctx context.Context, table *schema.Table, from, to time.Time, file, options string) (bool, error) {
	if f.decline {
		return false, nil
	}
	if f.after.Add(-1) < 0 && f.end != nil {
		if err := f.end(); err != nil {
			return false, err
		}
	}
	return f.Warehouse.Copy(ctx, table, from, to, file, options)
}

func (f *failing) Rows(ctx context.Context, table *schema.Table, from, to time.Time) iter.Seq2[arrow.RecordBatch, error] {
	return func(yield func(arrow.RecordBatch, error) bool) {
		for batch, err := range f.Warehouse.Rows(ctx, table, from, to) {
			if f.after.Add(-1) < 0 && f.end != nil {
				if err := f.end(); err != nil {
					yield(nil, err)
					return
				}
			}
			if !yield(batch, err) {
				return
			}
		}
	}
}

// twoVersions publishes three days and commits a newer version of all of them.
func twoVersions(t *testing.T) *site {
	s := newSite(t)
	for _, version := range []string{"old", "new"} {
		var rows []values
		for i := range 3 * 3000 {
			row := alert(fmt.Sprint(i), day(i/3000))
			row["message"] = version
			rows = append(rows, row)
		}
		s.alerts(rows...)
		if version == "old" {
			s.publish()
		}
	}
	return s
}

func TestAFailureInTheMiddleLeavesWholeFilesOnly(t *testing.T) {
	broken := errors.New("disk on fire")
	cancelled := func(cancel func()) error { cancel(); return nil }
	fails := func(func()) error { return broken }
	for name, c := range map[string]struct {
		decline bool
		end     func(cancel func()) error
		want    error
	}{
		"cancelled":           {false, cancelled, context.Canceled},
		"read":                {false, fails, broken},
		"declined, cancelled": {true, cancelled, context.Canceled},
		"declined, read":      {true, fails, broken},
	} {
		t.Run(name, func(t *testing.T) {
			s := twoVersions(t)
			before := s.files()
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			source := &failing{Warehouse: s.Warehouse, end: func() error { return c.end(cancel) }, decline: c.decline}
			source.after.Store(2)
			result, err := lake.Publish(ctx, options(s.dir), source)
			if !errors.Is(err, c.want) || len(result.Written) != 0 {
				t.Fatalf("result %+v, %v", result, err)
			}
			if same := os.SameFile(before[lake.ManifestName], s.files()[lake.ManifestName]); !same || len(s.files()) != len(before) {
				t.Errorf("files %v", s.files())
			}
			for n := range 3 {
				messages := readParquet(t, filepath.Join(s.dir, filepath.FromSlash(alertFile(n))))["message"]
				for _, message := range messages {
					if len(messages) != 3000 || message != messages[0] {
						t.Fatalf("day %d: %d rows, mixed", n, len(messages))
					}
				}
			}
			if changed, err := s.Changed(context.Background(), schema.Alerts()); err != nil || len(changed) != 3 {
				t.Errorf("changed are %v, %v", changed, err)
			}
			s.publish()
			s.checkManifest()
			if got := readParquet(t, filepath.Join(s.dir, filepath.FromSlash(alertFile(2))))["message"][0]; got != "new" {
				t.Errorf("afterwards the message is %v", got)
			}
		})
	}
}

func TestACancelledRunWritesNothing(t *testing.T) {
	s := twoVersions(t)
	before := s.files()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := lake.Publish(ctx, options(s.dir), s); !errors.Is(err, context.Canceled) || len(s.rewritten(before)) != 0 {
		t.Errorf("%v, written: %v", err, s.rewritten(before))
	}
}

// synthetic yields many small batches of one day, without a warehouse.
type synthetic struct {
	batch   arrow.RecordBatch
	batches int
	each    func()
}

func (s *synthetic) Changed(context.Context, *schema.Table) ([]time.Time, error) { return nil, nil }

func (s *synthetic) Partitions(_ context.Context, table *schema.Table) ([]time.Time, error) {
	if table.Name != "alerts" {
		return nil, nil
	}
	return []time.Time{epoch}, nil
}

func (s *synthetic) Copy(context.Context, *schema.Table, time.Time, time.Time, string, string) (bool, error) {
	return false, nil
}

func (s *synthetic) Rows(context.Context, *schema.Table, time.Time, time.Time) iter.Seq2[arrow.RecordBatch, error] {
	return func(yield func(arrow.RecordBatch, error) bool) {
		for range s.batches {
			s.each()
			if !yield(s.batch, nil) {
				return
			}
		}
	}
}

// wholeBatch makes rows with the columns of the whole table.
func wholeBatch(t testing.TB, rows int, message string) arrow.RecordBatch {
	t.Helper()
	w := open(t, t.TempDir())
	var all []values
	for i := range rows {
		row := alert(fmt.Sprintf("%036d", i), epoch)
		row["message"] = message
		all = append(all, row)
	}
	commit(t, w, build(t, schema.Alerts(), all...))
	for batch, err := range w.Rows(context.Background(), schema.Alerts(), epoch, day(1)) {
		if err != nil {
			t.Fatal(err)
		}
		batch.Retain()
		t.Cleanup(batch.Release)
		return batch
	}
	return nil
}

func TestRowGroupsAreBounded(t *testing.T) {
	for name, c := range map[string]struct {
		rows, batches int
		message       string
		want          []int64
	}{
		"300,000 rows in small batches": {1000, 300, "short", []int64{122_880, 122_880, 54_240}},
		"rows of 64 KB":                 {100, 25, strings.Repeat("x", 1<<16), []int64{1100, 1100, 300}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			var peak uint64
			n := 0
			source := &synthetic{batch: wholeBatch(t, c.rows, c.message), batches: c.batches, each: func() {
				if n++; n%(1+c.batches/20) == 0 {
					peak = max(peak, heap())
				}
			}}
			base := heap()
			if _, err := lake.Publish(context.Background(), options(dir), source); err != nil {
				t.Fatal(err)
			}
			reader, _ := openParquet(t, filepath.Join(dir, filepath.FromSlash(alertFile(0))))
			defer func() { _ = reader.Close() }()
			var got []int64
			for i := range reader.NumRowGroups() {
				got = append(got, reader.MetaData().RowGroup(i).NumRows())
			}
			if fmt.Sprint(got) != fmt.Sprint(c.want) {
				t.Errorf("row groups of %v rows, want %v", got, c.want)
			}
			held := (max(peak, base) - base) >> 20
			t.Logf("%d MB held at most", held)
			if held > 160 {
				t.Errorf("%d MB held", held)
			}
		})
	}
}

// heap is the memory in use once all garbage is gone.
func heap() uint64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

// meeting lets the first two calls of Copy meet, and declines where it finds another.
type meeting struct {
	*load.Warehouse
	both    sync.WaitGroup
	met     atomic.Int32
	alone   atomic.Int32 // calls that found no other
	running atomic.Int32
}

func (m *meeting) Copy(ctx context.Context, table *schema.Table, from, to time.Time, file, options string) (bool, error) {
	others := m.running.Add(1) - 1
	defer m.running.Add(-1)
	if m.met.Add(1) <= 2 {
		m.both.Done()
		m.both.Wait()
		return false, os.Remove(file) // as DuckDB does
	}
	if others == 0 {
		m.alone.Add(1)
	}
	return m.Warehouse.Copy(ctx, table, from, to, file, options)
}

func TestFilesAreWrittenAtOnceAndWhatIsDeclinedThenIsWrittenAlone(t *testing.T) {
	if runtime.GOMAXPROCS(0) < 2 {
		t.Skip("one core writes one file")
	}
	s := newSite(t)
	s.alerts(alert("a", day(0)), alert("b", day(1)))
	source := &meeting{Warehouse: s.Warehouse}
	source.both.Add(2)
	if _, err := lake.Publish(context.Background(), options(s.dir), source); err != nil {
		t.Fatal(err)
	}
	if source.alone.Load() != 2 {
		t.Errorf("%d files were written alone", source.alone.Load())
	}
	s.checkManifest()
	if by := s.createdBy(0); by == "flashback-sync test" {
		t.Error("DuckDB was not asked again")
	}
}

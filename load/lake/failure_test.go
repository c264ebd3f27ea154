package lake_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/flashback-sync/flashback-sync/load"
	"github.com/flashback-sync/flashback-sync/load/lake"
	"github.com/flashback-sync/flashback-sync/schema"
)

// failing is a warehouse whose reading ends after some files.
type failing struct {
	*load.Warehouse
	after atomic.Int64
	end   func() error
}

func (f *failing) Copy(ctx context.Context, table *schema.Table, from, to time.Time, file, options string) (int64, time.Time, time.Time, error) {
	if f.after.Add(-1) < 0 {
		if err := f.end(); err != nil {
			return 0, time.Time{}, time.Time{}, err
		}
	}
	return f.Warehouse.Copy(ctx, table, from, to, file, options)
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
	for name, c := range map[string]struct {
		end  func(cancel func()) error
		want error
	}{
		"cancelled": {func(cancel func()) error { cancel(); return nil }, context.Canceled},
		"read":      {func(func()) error { return broken }, broken},
	} {
		t.Run(name, func(t *testing.T) {
			s := twoVersions(t)
			before := s.files()
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			source := &failing{Warehouse: s.Warehouse, end: func() error { return c.end(cancel) }}
			source.after.Store(2)
			result, err := lake.Publish(ctx, options(s.dir), source)
			if !errors.Is(err, c.want) || len(result.Written) != 0 {
				t.Fatalf("result %+v, %v", result, err)
			}
			if same := os.SameFile(before[lake.ManifestName], s.files()[lake.ManifestName]); !same || len(s.files()) != len(before) {
				t.Errorf("files %v", s.files())
			}
			for n := range 3 {
				messages := readWithDuckDB(t, schema.Alerts(), filepath.Join(s.dir, filepath.FromSlash(alertFile(n))))["message"]
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
			if got := readWithDuckDB(t, schema.Alerts(), filepath.Join(s.dir, filepath.FromSlash(alertFile(2))))["message"][0]; got != "new" {
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

// meeting lets the first two calls of Copy meet, and fail for lack of memory.
type meeting struct {
	*load.Warehouse
	both    sync.WaitGroup
	met     atomic.Int32
	alone   atomic.Int32 // calls that found no other
	running atomic.Int32
}

func (m *meeting) Copy(ctx context.Context, table *schema.Table, from, to time.Time, file, options string) (int64, time.Time, time.Time, error) {
	others := m.running.Add(1) - 1
	defer m.running.Add(-1)
	if m.met.Add(1) <= 2 {
		m.both.Done()
		m.both.Wait()
		return 0, time.Time{}, time.Time{}, errors.Join(errors.New("Out of Memory Error"), os.Remove(file)) // as DuckDB does
	}
	if others == 0 {
		m.alone.Add(1)
	}
	return m.Warehouse.Copy(ctx, table, from, to, file, options)
}

func TestFilesThatLackMemoryTogetherAreWrittenAlone(t *testing.T) {
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
}

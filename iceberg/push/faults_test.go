package push_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/apache/iceberg-go/catalog"
	"github.com/apache/iceberg-go/table"

	"github.com/flashback-sync/flashback-sync/iceberg/push"
)

// faulty is a catalog whose commits go wrong.
type faulty struct {
	catalog.Catalog

	commits int
	before  func(n int) error // fails instead of the commit
	after   func(n int) error // fails although the commit had its effect
}

func (f *faulty) CommitTable(ctx context.Context, ident table.Identifier, reqs []table.Requirement, updates []table.Update) (table.Metadata, string, error) {
	f.commits++
	if f.before != nil {
		if err := f.before(f.commits); err != nil {
			return nil, "", err
		}
	}
	meta, location, err := f.Catalog.CommitTable(ctx, ident, reqs, updates)
	if err == nil && f.after != nil {
		if err := f.after(f.commits); err != nil {
			return nil, "", err
		}
	}
	return meta, location, err
}

var errDropped = errors.New("unexpected EOF")

func TestDroppedAnswersOfCommits(t *testing.T) {
	for name, fault := range map[string]*faulty{
		"committed":     {after: func(int) error { return errDropped }},
		"not committed": {before: odd},
		"both":          {after: odd, before: func(n int) error { return odd(n + 1) }},
	} {
		t.Run(name, func(t *testing.T) {
			b := setUp(t)
			fill(t, b.lake, 3, 50)
			fault.Catalog = b.catalog.Catalog
			b.catalog.Catalog = fault
			if r := b.push().Tables["alerts"]; r.Written != 3 || r.Rows != 150 || r.Snapshot == 0 {
				t.Errorf("alerts: %+v", r)
			}
			b.wantRows("alerts", "default", 150)
			if n := len(b.load("alerts").Metadata().Snapshots()); n != 1 {
				t.Errorf("alerts has %d snapshots, want 1", n)
			}
			b.wantNoOrphans()
		})
	}
}

func odd(n int) error {
	if n%2 == 1 {
		return errDropped
	}
	return nil
}

func TestCatalogThatRefusesLeavesNoFiles(t *testing.T) {
	b := setUp(t)
	fill(t, b.lake, 2, 50)
	b.push()
	before := b.files()
	must(t, b.lake.Set("alerts", day(0), 60, 1))
	must(t, b.lake.Publish(day(2)))
	refusal := fmt.Errorf("wrapped: %w", catalog.ErrNoSuchTable)
	b.catalog.Catalog = &faulty{Catalog: b.catalog.Catalog, before: func(int) error { return refusal }}
	if _, err := pushLake(t.Context(), b.lake, b.catalog, "default"); !errors.Is(err, refusal) {
		t.Fatalf("got %v", err)
	}
	if after := b.files(); after != before {
		t.Errorf("%d files before, %d after", before, after)
	}
}

// TestOtherWriterInBetween lets another organisation commit between our reading and our commit.
func TestOtherWriterInBetween(t *testing.T) {
	b := setUp(t)
	fill(t, b.lake, 3, 50)
	b.push()
	other := newLake(t, 2)
	fill(t, other, 3, 20)
	second := b.open()
	meddled := 0
	b.catalog.Catalog = &faulty{Catalog: b.catalog.Catalog, before: func(n int) error {
		if n == 1 {
			meddled++
			_, err := pushLake(t.Context(), other, second, "other")
			return err
		}
		return nil
	}}
	must(t, b.lake.Set("alerts", day(1), 70, 1))
	must(t, b.lake.Publish(day(3)))
	if result := b.push().Tables["alerts"]; meddled != 1 || result.Commits != 2 {
		t.Errorf("%d tries of the commit, want 2", result.Commits)
	}
	b.wantRows("alerts", "default", 170)
	b.wantRows("alerts", "other", 60)
}

// TestNewerManifestInBetween lets another machine push a newer manifest of the same lake.
func TestNewerManifestInBetween(t *testing.T) {
	b := setUp(t)
	fill(t, b.lake, 3, 50)
	b.push()
	newer := newLake(t, 1)
	fill(t, newer, 3, 50)
	must(t, newer.Publish(day(3)))
	must(t, newer.Set("alerts", day(0), 0, 0)) // erased
	must(t, newer.Publish(day(4)))
	second := b.open()
	b.catalog.Catalog = &faulty{Catalog: b.catalog.Catalog, before: func(n int) error {
		if n == 1 {
			_, err := pushLake(t.Context(), newer, second, "default", func(o *push.Options) { o.Run = "00000000beef" })
			return err
		}
		return nil
	}}
	must(t, b.lake.Set("alerts", day(1), 70, 1))
	must(t, b.lake.Publish(day(3)))
	if _, err := pushLake(t.Context(), b.lake, b.catalog, "default"); !errors.Is(err, push.ErrOlder) {
		t.Errorf("got %v, want ErrOlder", err)
	}
	b.wantRows("alerts", "default", 100)
}

func TestManyWritersAtOnce(t *testing.T) {
	b := setUp(t)
	const writers = 4
	var group sync.WaitGroup
	errs := make([]error, 2*writers)
	for w := range writers {
		l := newLake(t, uint64(w))
		fill(t, l, 3, 40)
		for twice := range 2 { // each organisation from two machines
			cat, org := b.open(), fmt.Sprintf("org-%d", w)
			group.Go(func() {
				_, errs[2*w+twice] = pushLake(t.Context(), l, cat, org, func(o *push.Options) { o.Run = fmt.Sprintf("%012x", 2*w+twice) })
			})
		}
	}
	group.Wait()
	must(t, errors.Join(errs...))
	for w := range writers {
		b.wantRows("alerts", fmt.Sprintf("org-%d", w), 120)
		b.wantRows("violations", fmt.Sprintf("org-%d", w), 60)
	}
	b.wantNoOrphans()
}

func TestHalfWrittenManifest(t *testing.T) {
	b := setUp(t)
	fill(t, b.lake, 1, 50)
	name := filepath.Join(b.lake.Dir, "manifest.json")
	content, err := os.ReadFile(name)
	must(t, err)
	must(t, os.WriteFile(name, content[:len(content)/2], 0o600))
	if _, err := pushLake(t.Context(), b.lake, b.catalog, "default"); err == nil || !strings.Contains(err.Error(), "not complete JSON") {
		t.Errorf("got %v", err)
	}
}

// TestLakeIsPublishedMeanwhile replaces a file before its manifest, as a publishing run does.
func TestLakeIsPublishedMeanwhile(t *testing.T) {
	b := setUp(t)
	fill(t, b.lake, 2, 50)
	must(t, b.lake.Set("alerts", day(1), 60, 1))
	publishing := make(chan error, 1)
	go func() { publishing <- b.lake.Publish(day(2)) }()
	b.push()
	must(t, <-publishing)
	b.push()
	b.wantRows("alerts", "default", 110)
}

// files counts the files of the warehouse.
func (b *bench) files() (n int) {
	b.Helper()
	must(b.T, filepath.WalkDir(strings.TrimPrefix(b.config.Warehouse, "file://"), func(_ string, entry os.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			n++
		}
		return err
	}))
	return n
}

// wantNoOrphans wants each data file to be in the current snapshot.
func (b *bench) wantNoOrphans() {
	b.Helper()
	for _, name := range []string{"alerts", "violations", "policy_stats", "events_daily", "coverage"} {
		plan, err := b.load(name).PlanOrphanFiles(b.Context(), table.WithFilesOlderThan(0))
		must(b.T, err)
		for _, file := range plan.Files() {
			if strings.HasSuffix(file, ".parquet") {
				b.Errorf("orphan: %s", file)
			}
		}
	}
}

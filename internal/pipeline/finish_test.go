package pipeline

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"path/filepath"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/flashback-sync/flashback-sync/load"
	"github.com/flashback-sync/flashback-sync/load/lake"
	"github.com/flashback-sync/flashback-sync/schema"
)

// broken cannot be read.
type broken struct{}

func (broken) Copy(context.Context, *schema.Table, time.Time, time.Time, string, string) (bool, error) {
	return false, errors.New("cannot be read")
}

func (broken) Rows(context.Context, *schema.Table, time.Time, time.Time) iter.Seq2[arrow.RecordBatch, error] {
	return nil
}

// When nothing more is committed two prepare what is left. Whoever made a file, of
// whatever version, and whoever failed: what is published is what is held.
func TestWhatIsLeftIsPreparedByTwo(t *testing.T) {
	const days = 20
	for name, from := range map[string]readable{"both": nil, "one cannot": broken{}} {
		t.Run(name, func(t *testing.T) {
			ctx, dir, table := context.Background(), t.TempDir(), schema.Alerts()
			w, err := load.Open(ctx, load.Options{Dir: dir})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = w.Close() }()
			if from == nil {
				from = w
			}
			options := lake.Options{Dir: filepath.Join(dir, "lake"), Compression: "zstd", Now: monday}
			p := startPreparer(ctx, options)
			reader, err := w.Beside(ctx)
			if err != nil {
				t.Fatal(err)
			}
			for version := range 3 { // the earlier ones may have been prepared or not
				var starts []time.Time
				for day := range days {
					start := monday.AddDate(0, 0, day)
					commitAt(t, w, fmt.Sprint(version, "-", day), start.Add(12*time.Hour))
					starts = append(starts, start, start)
				}
				p.touch(table, w.Touched(table))
				p.add(table, starts, reader)
			}
			if options.Prepared, err = p.finish(ctx, from); err != nil {
				t.Fatal(err)
			}
			if _, err := lake.Publish(ctx, options, w); err != nil {
				t.Fatal(err)
			}
			manifest, err := lake.ReadManifest(options.Dir)
			if err != nil || len(manifest.Files) != days {
				t.Fatalf("%d files, %v", len(manifest.Files), err)
			}
			for _, file := range manifest.Files {
				if file.Rows != 3 {
					t.Errorf("%s has %d rows", file.Path, file.Rows)
				}
			}
			if left, _ := filepath.Glob(filepath.Join(options.Dir, "*", "*", ".*")); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

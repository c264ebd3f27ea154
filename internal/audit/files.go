package audit

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/flashback-sync/flashback-sync/checkpoints"
	"github.com/flashback-sync/flashback-sync/internal/run"
	"github.com/flashback-sync/flashback-sync/load/lake"
	"github.com/flashback-sync/flashback-sync/load/snapshot"
	"github.com/flashback-sync/flashback-sync/schema"
)

// files compares everything that is published with the warehouse.
func (v *verification) files(ctx context.Context) error {
	v.options.Observe(run.Event{Kind: run.Verifying, Stream: "files"})
	stored := map[*schema.Table]map[time.Time]fingerprint{}
	for _, table := range schema.Tables() {
		if table.Partition == schema.Unpartitioned {
			continue
		}
		fingerprints, err := v.stored.Private(ctx, table)
		if err != nil {
			return err
		}
		stored[table] = fingerprints
	}
	if err := v.expired(ctx); err != nil {
		return err
	}
	v.warehouse(stored)
	if err := v.lake(ctx, stored); err != nil {
		return err
	}
	if _, err := os.Lstat(filepath.Join(v.options.DataDir, snapshot.LogName)); err == nil {
		v.found(snapshot.LogName, Differs, "the log of a program that opened "+snapshot.Name+" for writing: readers may see what it wrote", 0, "")
	}
	v.views()
	if v.options.PublishDuckDB {
		return v.snapshot(ctx, stored)
	}
	return nil
}

// views reports whether the files for readers who may see less are what was published.
func (v *verification) views() {
	for _, view := range v.options.Views {
		status, detail := Match, ""
		if _, err := os.Lstat(filepath.Join(v.options.DataDir, view.Path())); errors.Is(err, fs.ErrNotExist) {
			status = Missing
		} else if !view.Intact(v.options.DataDir) {
			status, detail = Differs, "it is not the file that was published"
		}
		v.found(view.Path(), status, detail, 0, "")
	}
}

// found adds a file to the report. Its rows are those that were counted in it, and its hash is
// given only if the file was read and has it.
func (v *verification) found(path string, status Status, detail string, rows int64, hash string) {
	v.report.Files = append(v.report.Files, File{Path: path, Status: status, Detail: detail, Rows: rows, SHA256: hash})
}

// lake compares every file with the manifest, and its rows with the warehouse.
func (v *verification) lake(ctx context.Context, stored map[*schema.Table]map[time.Time]fingerprint) error {
	const manifest = "lake/" + lake.ManifestName
	inventory, err := lake.Check(ctx, v.options.LakeDir())
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, fs.ErrNotExist):
		v.found(manifest, Missing, "", 0, "")
		return nil
	case err != nil:
		v.found(manifest, Differs, err.Error(), 0, "")
		return nil
	}
	v.found(manifest, Match, "", 0, "")
	for _, path := range inventory.Unlisted {
		v.found("lake/"+path, Extra, "the manifest does not name it", 0, "")
	}
	for table, partitions := range stored {
		if err := v.table(ctx, table, partitions, inventory); err != nil {
			return err
		}
	}
	slices.SortFunc(v.report.Files, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	return nil
}

// table compares the files of one table with the partitions of the warehouse.
func (v *verification) table(ctx context.Context, table *schema.Table, stored map[time.Time]fingerprint, inventory *lake.Inventory) error {
	var sound []string
	for _, f := range inventory.Manifest.Files {
		if f.Table == table.Name && inventory.Problems[f.Path] == nil {
			sound = append(sound, f.Path)
		}
	}
	contents, err := v.stored.Files(ctx, table, sound)
	if err != nil {
		return err
	}
	left := maps.Clone(stored)
	for _, f := range inventory.Manifest.Files {
		if f.Table != table.Name {
			continue
		}
		_, start, _ := lake.PartitionOf(f.Path)
		status, detail := compareFile(f, inventory.Problems[f.Path], contents[f.Path], stored[start])
		if expired := v.expiredIn(table, contents[f.Path]); expired != "" {
			status, detail = Differs, expired
		}
		hash := ""
		if inventory.Problems[f.Path] == nil {
			hash = f.SHA256
			if status != Match {
				v.mismatch(table, start) // the file is as it was written: which of the two is right only the source can say
			}
		}
		v.found("lake/"+f.Path, status, detail, contents[f.Path].Rows, hash)
		delete(left, start)
	}
	for start, f := range left {
		v.mismatch(table, start)
		v.found("lake/"+lake.Path(table, start), Missing, fmt.Sprintf("the warehouse has %d rows of it", f.Rows), 0, "")
	}
	return nil
}

// mismatch notes a partition that is not what was published.
func (v *verification) mismatch(table *schema.Table, start time.Time) {
	v.mismatched[table.Name] = v.mismatched[table.Name].Union(checkpoints.Of(checkpoints.Interval{From: start, To: lake.EndOf(table, start)}))
}

// compareFile compares one file: with its line of the manifest, that with its rows,
// and these with the warehouse.
func compareFile(f lake.File, problem error, content, stored fingerprint) (Status, string) {
	switch {
	case errors.Is(problem, fs.ErrNotExist):
		return Missing, ""
	case problem != nil:
		return Differs, problem.Error()
	case content.Rows != f.Rows || !content.Oldest.Equal(f.Oldest) || !content.Newest.Equal(f.Newest):
		return Differs, fmt.Sprintf("it has %d rows, the manifest says %d", content.Rows, f.Rows)
	case content.Rows != stored.Rows:
		return Differs, fmt.Sprintf("it has %d rows, the warehouse %d", content.Rows, stored.Rows)
	case !content.Equal(stored):
		return Differs, "its rows are not those of the warehouse"
	}
	return Match, ""
}

// snapshot compares the analysts' file with the warehouse.
func (v *verification) snapshot(ctx context.Context, stored map[*schema.Table]map[time.Time]fingerprint) error {
	if err := v.stored.Unreadable; err != nil {
		status := Differs
		if errors.Is(err, fs.ErrNotExist) {
			status = Missing
		}
		v.found(snapshot.Name, status, err.Error(), 0, "")
		return nil
	}
	var rows int64
	var different, expired []string
	for table, want := range stored {
		got, err := v.stored.Published(ctx, table)
		if err != nil {
			v.found(snapshot.Name, Differs, err.Error(), 0, "")
			return nil //nolint:nilerr // a published file that cannot be read is a finding
		}
		for _, f := range got {
			rows += f.Rows
			if detail := v.expiredIn(table, f); detail != "" {
				expired = append(expired, table.Name+": "+detail)
			}
		}
		if !maps.EqualFunc(got, want, fingerprint.Equal) {
			different = append(different, table.Name)
		}
	}
	switch {
	case len(expired) > 0:
		v.found(snapshot.Name, Differs, slices.Min(expired), rows, "")
	case len(different) > 0:
		slices.Sort(different)
		v.found(snapshot.Name, Differs, strings.Join(different, ", ")+": its rows are not those of the warehouse", rows, "")
	default:
		v.found(snapshot.Name, Match, "", rows, "")
	}
	return nil
}

// expired reads where the rows of each table begin that have not expired. Of a derived
// table that is what is kept of any list.
func (v *verification) expired(ctx context.Context) error {
	v.kept = map[string]time.Time{}
	var lists []time.Time
	for _, stream := range schema.Streams() {
		kept, err := v.stored.Expired(ctx, stream.Name)
		if err != nil {
			return err
		}
		v.kept[stream.Table.Name] = kept
		if stream.Kind == schema.List {
			lists = append(lists, kept)
		}
	}
	for _, table := range schema.Tables() {
		if table.Derived != "" {
			v.kept[table.Name] = slices.MinFunc(lists, time.Time.Compare)
		}
	}
	return nil
}

// expiredIn says that a partition has rows that have expired; "" if it has none.
func (v *verification) expiredIn(table *schema.Table, f fingerprint) string {
	if kept := v.kept[table.Name]; f.Rows > 0 && f.Oldest.Before(kept) {
		return fmt.Sprintf("it has rows of %s, which have expired: nothing before %s is kept", f.Oldest.Format(time.DateOnly), kept.Format(time.DateOnly))
	}
	return ""
}

// warehouse reports rows of the warehouse that have expired. The next run drops them.
func (v *verification) warehouse(stored map[*schema.Table]map[time.Time]fingerprint) {
	for table, partitions := range stored {
		var found []string
		var rows int64
		for _, f := range partitions {
			if detail := v.expiredIn(table, f); detail != "" {
				found, rows = append(found, detail), rows+f.Rows
			}
		}
		if len(found) > 0 {
			v.found("state/warehouse.duckdb", Differs, table.Name+": "+slices.Min(found), rows, "")
		}
	}
}

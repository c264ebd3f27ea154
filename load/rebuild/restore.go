package rebuild

import (
	"context"
	"database/sql"
	"slices"

	"github.com/flashback-sync/flashback-sync/checkpoints"
	"github.com/flashback-sync/flashback-sync/load"
	"github.com/flashback-sync/flashback-sync/load/duckdb"
	"github.com/flashback-sync/flashback-sync/load/layout"
	"github.com/flashback-sync/flashback-sync/schema"
)

// restorePrivacy records which policy the rows obey: that of the lake, from which they are.
// A column that either the lake or the analysts' file has as the source sent it counts as
// kept: then the next run asks for the policy to be applied.
func (b *rebuilding) restorePrivacy(ctx context.Context, tx *sql.Tx) error {
	for _, text := range b.remains.Sealed {
		if err := layout.AddMeta(ctx, tx, layout.Sealed, text); err != nil {
			return err
		}
	}
	if !b.remains.Manifest {
		return nil // the analysts' file was copied, and says it
	}
	treated, err := duckdb.ReadColumn[string](ctx, tx, "SELECT table_name || '.' || column_name FROM sync_privacy WHERE treatment <> 'keep'")
	if err != nil {
		return err
	}
	var all []schema.Treated
	for _, c := range schema.Treatable() {
		if b.done.Published && c.Table.Partition == schema.Unpartitioned {
			continue // its rows are those of the analysts' file
		}
		t := schema.Treated{Table: c.Table.Name, Column: c.Column.Name, Treatment: schema.Keep}
		by := slices.IndexFunc(b.remains.Privacy, func(of schema.Treated) bool { return of.Table == t.Table && of.Column == t.Column })
		if by >= 0 && (!b.done.Published || slices.Contains(treated, c.Path())) {
			t = b.remains.Privacy[by]
		}
		all = append(all, t)
	}
	return load.RecordTreatments(ctx, tx, all, b.Now().UTC())
}

// restoreCoverage writes the ledger: what the manifest covers, without the partitions
// whose files are not intact; of these, what the analysts' file covers as well. What has
// expired has in either.
func (b *rebuilding) restoreCoverage(ctx context.Context, tx *sql.Tx) error {
	broken := map[string]checkpoints.Set{}
	for _, p := range b.remains.Parts {
		if !p.Intact {
			broken[p.Table.Name] = broken[p.Table.Name].Union(checkpoints.Of(checkpoints.Interval{From: p.Start, To: p.End}))
		}
	}
	lines := b.remains.Coverage
	var second []checkpoints.Line
	if b.done.Published {
		var err error
		if second, err = checkpoints.ReadAll(ctx, tx, published+".main.sync_coverage"); err != nil {
			return err
		}
	}
	if !b.remains.Manifest {
		lines, second = second, nil
		broken = map[string]checkpoints.Set{}
	}
	// Rows of expired time, as of an older file of the lake, are dropped by the next run.
	for _, line := range append(slices.Clone(lines), second...) {
		if line.Status == checkpoints.Expired {
			if err := checkpoints.Expire(ctx, tx, line.Key(), "rebuild", line.Interval()); err != nil {
				return err
			}
		}
	}
	for _, line := range lines {
		if line.Status == checkpoints.Expired {
			continue
		}
		set := checkpoints.Of(line.Interval())
		kept := set.Subtract(broken[line.Stream])
		for _, other := range second {
			if other.Key() == line.Key() && other.Status == line.Status {
				kept = kept.Union(set.Intersect(broken[line.Stream]).Intersect(checkpoints.Of(other.Interval())))
			}
		}
		if err := checkpoints.Record(ctx, tx, line.Key(), line.Status, "rebuild", kept); err != nil {
			return err
		}
	}
	return nil
}

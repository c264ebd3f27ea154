// Package audit compares tables with the lake that they are copies of, and reports their state.
// It changes nothing.
package audit

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/catalog"
	"github.com/apache/iceberg-go/table"

	"github.com/flashback-sync/flashback-sync/iceberg/catalogs"
	"github.com/flashback-sync/flashback-sync/iceberg/datafiles"
	"github.com/flashback-sync/flashback-sync/iceberg/lake"
	"github.com/flashback-sync/flashback-sync/iceberg/snapshots"
	"github.com/flashback-sync/flashback-sync/iceberg/tables"
)

// Options say what to verify.
type Options struct {
	Lake    *lake.Lake
	Catalog *catalogs.Catalog
	Org     string
	Quick   bool // compare manifests, read no rows
}

// Difference is a period in which a table is not what the lake has.
type Difference struct {
	Table  string `json:"table"`
	Period string `json:"period"`
	Kind   string `json:"kind"` // missing, extra, stale, rows, ids or content
	Lake   int64  `json:"lake_rows"`
	Rows   int64  `json:"table_rows"`
}

func (d Difference) String() string {
	return fmt.Sprintf("%s %s: %s (lake %d rows, table %d rows)", d.Table, d.Period, d.Kind, d.Lake, d.Rows)
}

// Report is the result of a verification.
type Report struct {
	Org         string       `json:"org"`
	Generation  int64        `json:"generation"`
	Periods     int          `json:"periods"`
	Rows        int64        `json:"rows"`
	Differences []Difference `json:"differences"`
}

// Verify compares every period of every table. A full one reads all rows of both sides; those
// of the tables with iceberg-go's reader, which shares nothing with how they were written.
func Verify(ctx context.Context, o Options) (*Report, error) {
	manifest, err := o.Lake.Manifest()
	if err != nil {
		return nil, err
	}
	declared, err := tables.Of(manifest)
	if err != nil {
		return nil, err
	}
	report := &Report{Org: o.Org, Generation: manifest.Generation, Differences: []Difference{}}
	for _, t := range declared {
		v := &verifier{Options: o, manifest: manifest, table: t, report: report}
		if err := v.verify(ctx); err != nil {
			return nil, fmt.Errorf("table %s: %w", t.Name, err)
		}
	}
	return report, nil
}

// verifier compares one table.
type verifier struct {
	Options
	manifest *lake.Manifest
	table    tables.Table
	report   *Report
}

func (v *verifier) verify(ctx context.Context) error {
	wanted := datafiles.WantedOf(v.manifest, v.table.Name)
	live := &snapshots.Live{}
	tbl, err := v.Catalog.Load(ctx, v.table.Name)
	if err == nil {
		live, err = snapshots.Read(ctx, tbl, v.Org)
	}
	if err != nil && !errors.Is(err, catalog.ErrNoSuchTable) {
		return err
	}
	var tasks map[int32][]table.FileScanTask
	var scan *table.Scan
	if !v.Quick && len(live.Partitions) > 0 {
		if scan, tasks, err = v.plan(ctx, tbl); err != nil {
			return err
		}
	}
	periods := slices.Collect(maps.Keys(wanted))
	for period := range live.Partitions {
		if _, known := wanted[period]; !known {
			periods = append(periods, period)
		}
	}
	slices.Sort(periods)
	for _, period := range periods {
		w, inLake := wanted[period]
		got, inTable := live.Partitions[period]
		d := Difference{Table: v.table.Name, Period: w.Name(), Lake: w.Rows}
		if inTable {
			d.Rows = got.Rows
		}
		switch {
		case !inLake:
			d.Period, d.Kind = lake.Period{Month: v.table.Month, Ordinal: period}.String(), "extra"
		case !inTable:
			d.Kind = "missing"
		case v.Quick && (got.Hash != snapshots.ShortHash(w.Hash) || got.Rows != w.Rows):
			d.Kind = "stale"
		case !v.Quick:
			if err := v.compare(ctx, &d, w, scan, tasks[period]); err != nil {
				return fmt.Errorf("%s: %w", w.Name(), err)
			}
		}
		v.report.Periods++
		v.report.Rows += d.Rows
		if d.Kind != "" {
			v.report.Differences = append(v.report.Differences, d)
		}
	}
	return nil
}

// plan finds the files of each period, with the delete files that apply to them.
func (v *verifier) plan(ctx context.Context, tbl *table.Table) (*table.Scan, map[int32][]table.FileScanTask, error) {
	scan := tbl.Scan(table.WithRowFilter(iceberg.EqualTo(iceberg.Reference(tables.OrgColumn), v.Org)),
		table.WithMaxConcurrency(1), table.WithArrowBatchSize(16<<10))
	planned, err := scan.PlanFiles(ctx)
	if err != nil {
		return nil, nil, err
	}
	tasks := map[int32][]table.FileScanTask{}
	for _, task := range planned {
		period, err := snapshots.PeriodOf(task.File)
		if err != nil {
			return nil, nil, err
		}
		tasks[period] = append(tasks[period], task)
	}
	return scan, tasks, nil
}

// compare reads the rows of a period on both sides.
func (v *verifier) compare(ctx context.Context, d *Difference, w datafiles.Wanted, scan *table.Scan, tasks []table.FileScanTask) error {
	var columns []string
	for _, c := range v.table.Columns {
		columns = append(columns, c.Name)
	}
	var inLake sum
	err := w.Read(ctx, v.Lake, func(_ *arrow.Schema, batches iter.Seq2[arrow.RecordBatch, error]) (err error) {
		inLake, err = add(batches, columns)
		return err
	})
	if err != nil {
		return err
	}
	_, batches, err := scan.ReadTasks(ctx, tasks)
	if err != nil {
		return err
	}
	inTable, err := add(released(batches), columns)
	if err != nil {
		return err
	}
	d.Lake, d.Rows = inLake.rows, inTable.rows
	switch {
	case inLake.rows != inTable.rows:
		d.Kind = "rows"
	case inLake.ids != inTable.ids:
		d.Kind = "ids"
	case inLake.content != inTable.content:
		d.Kind = "content"
	}
	return nil
}

// released releases each batch after its use.
func released(batches iter.Seq2[arrow.RecordBatch, error]) iter.Seq2[arrow.RecordBatch, error] {
	return func(yield func(arrow.RecordBatch, error) bool) {
		for batch, err := range batches {
			more := yield(batch, err)
			if batch != nil {
				batch.Release()
			}
			if !more {
				return
			}
		}
	}
}

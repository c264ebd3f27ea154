// Package datafiles writes the Parquet files of a table: rows of the lake with the column org
// before them, with field ids, and with no bounds of private columns, neither in Iceberg's
// metadata nor in the Parquet footer.
package datafiles

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
	"github.com/apache/iceberg-go"
	icebergio "github.com/apache/iceberg-go/io"
	"github.com/apache/iceberg-go/table"

	"github.com/flashback-sync/flashback-sync/iceberg/lake"
	"github.com/flashback-sync/flashback-sync/iceberg/snapshots"
	"github.com/flashback-sync/flashback-sync/iceberg/tables"
)

// Sizes. A row group is buffered while it is written, so it bounds the memory.
const (
	rowGroupRows = 128 << 10
	targetBytes  = 512 << 20
)

// Writer writes the partitions of one table and organisation.
type Writer struct {
	Table    *table.Table
	Files    icebergio.WriteFileIO
	Declared tables.Table
	Org      string
	Name     snapshots.FileName // without Number

	private map[string]bool
}

// Source is the content of one partition.
type Source struct {
	Period  *lake.Period
	Schema  *arrow.Schema
	Batches iter.Seq2[arrow.RecordBatch, error]
}

// Write writes a partition. Of what fails it removes what it has written.
func (w *Writer) Write(ctx context.Context, source Source) (written []iceberg.DataFile, err error) {
	p := &partition{Writer: w, source: source, check: newTimeCheck(w.Declared, source)}
	defer func() {
		if err != nil {
			for _, location := range p.locations {
				_ = w.Files.Remove(location) // otherwise an orphan, which maintain removes
			}
		}
	}()
	if p.columns, p.schema, err = w.columnsOf(source.Schema); err != nil {
		return nil, err
	}
	for batch, err := range source.Batches {
		if err == nil {
			err = errors.Join(p.check.batch(batch), p.write(batch), context.Cause(ctx))
		}
		if err != nil {
			return nil, errors.Join(err, p.abort())
		}
	}
	return p.done, p.finish()
}

// partition is a partition that is being written.
type partition struct {
	*Writer
	source    Source
	schema    *arrow.Schema
	columns   []int // of the source's batches, in the order of schema after org
	check     *timeCheck
	orgs      arrow.Array
	open      *openFile
	done      []iceberg.DataFile
	locations []string
}

type openFile struct {
	location string
	out      icebergio.FileWriter
	parquet  *pqarrow.FileWriter
	bytes    int64
}

func (f *openFile) Write(b []byte) (int, error) {
	n, err := f.out.Write(b)
	f.bytes += int64(n)
	return n, err
}

// columnsOf matches the source's columns with the table's by name, and gives them field ids.
func (w *Writer) columnsOf(source *arrow.Schema) (columns []int, schema *arrow.Schema, err error) {
	w.private = map[string]bool{}
	for _, c := range w.Declared.Columns {
		w.private[c.Name] = c.Private
	}
	current, err := table.SchemaToArrowSchema(w.Table.Schema(), nil, true, false)
	if err != nil {
		return nil, nil, err
	}
	var fields []arrow.Field
	for _, want := range current.Fields() {
		at := source.FieldIndices(want.Name)
		if want.Name != tables.OrgColumn {
			if len(at) == 0 {
				continue // an older file: readers give NULL
			}
			if got := source.Field(at[0]).Type; !arrow.TypeEqual(got, want.Type) {
				return nil, nil, lake.Error{Err: fmt.Errorf("column %s is of type %s, the table's of %s", want.Name, got, want.Type)}
			}
			columns = append(columns, at[0])
		}
		fields = append(fields, want)
	}
	for _, field := range source.Fields() {
		if !current.HasField(field.Name) {
			return nil, nil, lake.Error{Err: fmt.Errorf("column %s is not described by the manifest", field.Name)}
		}
	}
	return columns, arrow.NewSchema(fields, nil), nil
}

func (p *partition) write(batch arrow.RecordBatch) error {
	if p.open == nil {
		if err := p.create(); err != nil {
			return err
		}
	}
	columns := []arrow.Array{p.orgColumn(int(batch.NumRows()))}
	defer columns[0].Release()
	for _, i := range p.columns {
		columns = append(columns, batch.Column(i))
	}
	record := array.NewRecordBatch(p.schema, columns, batch.NumRows())
	defer record.Release()
	if err := p.open.parquet.WriteBuffered(record); err != nil {
		return fmt.Errorf("write %s: %w", p.open.location, err)
	}
	if p.open.bytes < targetBytes {
		return nil
	}
	return p.closeFile()
}

// orgColumn is the organisation's name n times.
func (p *partition) orgColumn(n int) arrow.Array {
	if p.orgs == nil || p.orgs.Len() < n {
		builder := array.NewStringBuilder(memory.DefaultAllocator)
		defer builder.Release()
		for range n {
			builder.Append(p.Org)
		}
		p.orgs = builder.NewArray()
	}
	return array.NewSlice(p.orgs, 0, int64(n))
}

func (p *partition) create() error {
	provider, err := p.Table.LocationProvider()
	if err != nil {
		return err
	}
	name := p.Name
	name.Number = len(p.locations)
	location := provider.NewDataLocation(p.folder() + name.String())
	out, err := p.Files.Create(location)
	if err != nil {
		return fmt.Errorf("create %s: %w", location, err)
	}
	p.locations = append(p.locations, location)
	p.open = &openFile{location: location, out: out}
	p.open.parquet, err = pqarrow.NewFileWriter(p.schema, p.open, p.properties(), pqarrow.DefaultWriterProps())
	return err
}

// folder is where other Iceberg writers would put the file.
func (p *partition) folder() string {
	folder := tables.OrgColumn + "=" + p.Org + "/"
	if p.source.Period != nil {
		spec := p.Table.Spec()
		folder += spec.Field(1).Name + "=" + p.source.Period.String() + "/"
	}
	return folder
}

func (p *partition) properties() *parquet.WriterProperties {
	options := []parquet.WriterProperty{
		parquet.WithCompression(compress.Codecs.Zstd),
		parquet.WithMaxRowGroupLength(rowGroupRows),
		parquet.WithDataPageVersion(parquet.DataPageV1), // what every engine's fast reader knows
		parquet.WithCreatedBy("flashback-iceberg"),
	}
	for _, field := range p.schema.Fields() {
		// A dictionary that saves nothing is given up.
		options = append(options, parquet.WithDictionaryCostFallbackFor(field.Name, true))
		if p.private[field.Name] {
			options = append(options, parquet.WithStatsFor(field.Name, false))
		}
	}
	return parquet.NewWriterProperties(options...)
}

// closeFile completes a file and describes it for the manifest.
func (p *partition) closeFile() error {
	open := p.open
	p.open = nil
	err := errors.Join(open.parquet.Close(), open.out.Close())
	if err != nil {
		return fmt.Errorf("write %s: %w", open.location, err)
	}
	meta, err := open.parquet.FileMetadata()
	if err != nil {
		return err
	}
	file, err := p.describe(open, meta)
	if err != nil {
		return err
	}
	p.done = append(p.done, file)
	p.check.reset()
	return nil
}

func (p *partition) finish() error {
	if p.orgs != nil {
		defer p.orgs.Release()
	}
	if p.open == nil {
		return nil
	}
	return p.closeFile()
}

func (p *partition) abort() error {
	if p.orgs != nil {
		p.orgs.Release()
	}
	if p.open == nil {
		return nil
	}
	return errors.Join(p.open.parquet.Close(), p.open.out.Close())
}

// timeCheck verifies that the rows are of the partition's period, finds the bounds of a file's
// times, and sees if the rows are sorted.
type timeCheck struct {
	name        string
	from, to    time.Time
	least, most int64 // of the open file
	last        int64
	unsorted    bool
}

func newTimeCheck(t tables.Table, source Source) *timeCheck {
	check := &timeCheck{name: t.Time, last: math.MinInt64}
	if source.Period != nil {
		check.from, check.to = source.Period.Bounds()
	}
	check.reset()
	return check
}

// reset begins another file.
func (c *timeCheck) reset() { c.least, c.most = math.MaxInt64, math.MinInt64 }

func (c *timeCheck) batch(batch arrow.RecordBatch) error {
	if c.name == "" {
		return nil
	}
	at := batch.Schema().FieldIndices(c.name)
	if len(at) == 0 || batch.Column(at[0]).NullN() > 0 {
		return lake.Error{Err: fmt.Errorf("a row has no %s", c.name)}
	}
	var value func(int) int64
	from, to := c.from.UnixMicro(), c.to.UnixMicro()
	switch column := batch.Column(at[0]).(type) {
	case *array.Timestamp:
		value = func(i int) int64 { return int64(column.Value(i)) }
	case *array.Date32:
		from, to = c.from.Unix()/86400, c.to.Unix()/86400
		value = func(i int) int64 { return int64(column.Value(i)) }
	}
	for i := range int(batch.NumRows()) {
		v := value(i)
		if v < from || v >= to {
			return lake.Error{Err: fmt.Errorf("a row's %s is not in the period of its file, from %s to %s",
				c.name, c.from.Format(time.RFC3339), c.to.Format(time.RFC3339))}
		}
		c.unsorted = c.unsorted || v < c.last
		c.least, c.most, c.last = min(c.least, v), max(c.most, v), v
	}
	return nil
}

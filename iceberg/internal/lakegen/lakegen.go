// Package lakegen makes lakes for tests and measurements: files and manifests as flashback-sync
// publishes them, of rows that follow from a seed.
package lakegen

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"github.com/flashback-sync/flashback-sync/iceberg/lake"
)

//go:embed tables.json
var tablesJSON []byte

// Lake is a lake that is being made.
type Lake struct {
	Dir  string
	Seed uint64
	lake.Manifest
}

// New makes an empty lake. Its tables are those of flashback-sync.
func New(dir string, seed uint64) (*Lake, error) {
	l := &Lake{Dir: dir, Seed: seed}
	l.Format, l.Generator = 1, "lakegen"
	return l, json.Unmarshal(tablesJSON, &l.Tables)
}

// Open continues with the lake of a folder.
func Open(dir string, seed uint64) (*Lake, error) {
	content, err := os.ReadFile(filepath.Join(dir, "manifest.json"))
	if err != nil {
		return nil, err
	}
	l := &Lake{Dir: dir, Seed: seed}
	return l, json.Unmarshal(content, &l.Manifest)
}

// Table is the description of a table, to be changed.
func (l *Lake) Table(name string) *lake.Table {
	i := slices.IndexFunc(l.Tables, func(t lake.Table) bool { return t.Name == name })
	return &l.Tables[i]
}

// Daily reports whether a table has a file a day, otherwise it has one a month.
func Daily(table string) bool { return table == "alerts" || table == "violations" }

// Set writes the file of the period that begins with start. The same version has the same rows.
// No rows remove the file.
func (l *Lake) Set(table string, start time.Time, rows int, version uint64) error {
	folder, end := "date="+start.Format(time.DateOnly), start.AddDate(0, 0, 1)
	if !Daily(table) {
		folder, end = "month="+start.Format("2006-01"), start.AddDate(0, 1, 0)
	}
	path := table + "/" + folder + "/" + table + ".parquet"
	l.Files = slices.DeleteFunc(l.Files, func(f lake.File) bool { return f.Path == path })
	name := filepath.Join(l.Dir, filepath.FromSlash(path))
	if rows == 0 {
		return os.RemoveAll(filepath.Dir(name))
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o750); err != nil {
		return err
	}
	g := &generator{table: l.Table(table), start: start, end: end, rows: rows, seed: l.Seed ^ version<<32 ^ uint64(start.Unix())}
	if err := write(name+".tmp", g); err != nil {
		return err
	}
	file := lake.File{Table: table, Path: path, Rows: int64(rows), Oldest: start, Newest: end.Add(-time.Microsecond), Generation: l.Generation + 1}
	var err error
	if file.SHA256, file.Bytes, err = sum(name + ".tmp"); err != nil {
		return err
	}
	l.Files = append(l.Files, file)
	return os.Rename(name+".tmp", name)
}

// Publish writes the next manifest, in which everything up to an instant is covered.
func (l *Lake) Publish(until time.Time) error {
	l.Generation++
	l.GeneratedAt = until
	l.Coverage = []lake.Range{
		{Stream: "alerts", Filter: "{}", Status: "covered", From: time.Unix(0, 0).UTC(), To: until},
		{Stream: "violations", Filter: "{}", Status: "covered", From: time.Unix(0, 0).UTC(), To: until},
	}
	l.Queries = []lake.Query{{Stream: "alerts", Filter: "{}", CompleteTo: until}, {Stream: "violations", Filter: "{}", CompleteTo: until}}
	slices.SortFunc(l.Files, func(a, b lake.File) int { return strings.Compare(a.Path, b.Path) })
	content, err := json.MarshalIndent(l.Manifest, "", "  ")
	if err != nil {
		return err
	}
	name := filepath.Join(l.Dir, "manifest.json")
	if err := os.WriteFile(name+".tmp", content, 0o644); err != nil {
		return err
	}
	return os.Rename(name+".tmp", name)
}

func sum(name string) (hash string, size int64, err error) {
	file, err := os.Open(name)
	if err != nil {
		return "", 0, err
	}
	defer func() { _ = file.Close() }()
	h := sha256.New()
	size, err = io.Copy(h, file)
	return hex.EncodeToString(h.Sum(nil)), size, err
}

func write(name string, g *generator) error {
	out, err := os.Create(name)
	if err != nil {
		return err
	}
	defer func() { _ = out.Close() }()
	schema := g.schema()
	w, err := pqarrow.NewFileWriter(schema, out, parquet.NewWriterProperties(
		parquet.WithCompression(compress.Codecs.Zstd), parquet.WithMaxRowGroupLength(122880), parquet.WithDataPageVersion(parquet.DataPageV1),
	), pqarrow.DefaultWriterProps())
	if err != nil {
		return err
	}
	for first := 0; first < g.rows; first += batchRows {
		batch := g.batch(schema, first, min(first+batchRows, g.rows))
		err := w.WriteBuffered(batch)
		batch.Release()
		if err != nil {
			return err
		}
	}
	return w.Close()
}

const batchRows = 16 << 10

// arrowType is the Arrow type of a column's type.
func arrowType(name string) arrow.DataType {
	switch name {
	case "VARCHAR", "JSON":
		return arrow.BinaryTypes.String
	case "TIMESTAMPTZ":
		return &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"}
	case "DATE":
		return arrow.FixedWidthTypes.Date32
	case "BIGINT":
		return arrow.PrimitiveTypes.Int64
	case "BOOLEAN":
		return arrow.FixedWidthTypes.Boolean
	}
	panic(fmt.Sprintf("no type %s", name))
}

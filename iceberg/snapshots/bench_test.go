package snapshots_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/catalog"
	"github.com/apache/iceberg-go/table"

	"github.com/flashback-sync/flashback-sync/iceberg/catalogs"
	"github.com/flashback-sync/flashback-sync/iceberg/internal/lakegen"
	"github.com/flashback-sync/flashback-sync/iceberg/lake"
	"github.com/flashback-sync/flashback-sync/iceberg/snapshots"
	"github.com/flashback-sync/flashback-sync/iceberg/tables"
)

// table400 makes the table alerts with 400 days of many organisations. Its data files do not
// exist: commits read none.
func table400(b *testing.B, orgs int) (*catalogs.Catalog, string) {
	b.Helper()
	dir := b.TempDir()
	cat, err := catalogs.Open(b.Context(), catalogs.Config{
		URI: "sqlite://" + filepath.Join(dir, "catalog.db"), Name: "c", Namespace: "n", Warehouse: "file://" + filepath.Join(dir, "w"),
	})
	must(b, err)
	b.Cleanup(func() { _ = cat.Close() })
	must(b, cat.EnsureNamespace(b.Context()))
	l, err := lakegen.New(dir, 1)
	must(b, err)
	declared, err := tables.Of(&l.Manifest)
	must(b, err)
	spec := declared[0].Spec()
	_, err = cat.CreateTable(b.Context(), cat.Identifier("alerts"), declared[0].Schema(), catalog.WithPartitionSpec(&spec), catalog.WithProperties(declared[0].Properties()))
	must(b, err)
	for n := range orgs {
		commit(b, cat, fmt.Sprintf("org-%03d", n), 0, 400, 1)
	}
	return cat, dir
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

// commit replaces some days of an organisation.
func commit(b *testing.B, cat *catalogs.Catalog, org string, first, days int, generation int64) {
	b.Helper()
	tbl, err := cat.Load(b.Context(), "alerts")
	must(b, err)
	live, err := snapshots.Read(b.Context(), tbl, org)
	must(b, err)
	change := snapshots.Change{Generation: generation, Replace: map[int32]bool{}}
	for n := first; n < first+days; n++ {
		change.Replace[int32(20000+n)] = true
		change.Add = append(change.Add, dataFile(b, tbl, org, int32(20000+n), generation))
	}
	_, err = live.Commit(b.Context(), cat, change)
	must(b, err)
}

func dataFile(b *testing.B, tbl *table.Table, org string, day int32, generation int64) iceberg.DataFile {
	b.Helper()
	name := snapshots.FileName{Hash: fmt.Sprintf("%032x", day), Generation: generation, Run: fmt.Sprintf("%012x", time.Now().UnixNano()&0xffffffffffff)}
	location := tbl.Location() + "/data/org=" + org + "/timestamp_day=" + lake.Period{Ordinal: day}.String() + "/" + name.String()
	builder, err := iceberg.NewDataFileBuilder(tbl.Spec(), iceberg.EntryContentData, location, iceberg.ParquetFile,
		map[int]any{1000: org, 1001: day}, map[int]string{1001: "date"}, nil, 250_000, 10_000_000)
	must(b, err)
	sizes, bounds := map[int]int64{}, map[int][]byte{}
	for id := 1; id <= 20; id++ {
		sizes[id], bounds[id] = 500_000, []byte("sixteen-bytes-ok")
	}
	return builder.ColumnSizes(sizes).ValueCounts(sizes).NullValueCounts(sizes).LowerBoundValues(bounds).UpperBoundValues(bounds).Build()
}

// BenchmarkCommit replaces one day in a table of some organisations with 400 days each.
func BenchmarkCommit(b *testing.B) {
	for _, orgs := range []int{1, 100} {
		b.Run(fmt.Sprintf("orgs=%d", orgs), func(b *testing.B) {
			cat, _ := table400(b, orgs)
			generation := int64(1)
			for b.Loop() {
				generation++
				commit(b, cat, "org-000", 399, 1, generation)
			}
			tbl, err := cat.Load(b.Context(), "alerts")
			must(b, err)
			info, err := os.Stat(filepath.Clean(tbl.MetadataLocation()[len("file://"):]))
			must(b, err)
			b.ReportMetric(float64(info.Size())/float64(len(tbl.Metadata().Snapshots())), "metadata-bytes/snapshot")
		})
	}
}

// BenchmarkOverwriteOfIcebergGo does the same with iceberg-go's own replacement of files.
func BenchmarkOverwriteOfIcebergGo(b *testing.B) {
	for _, orgs := range []int{1, 100} {
		b.Run(fmt.Sprintf("orgs=%d", orgs), func(b *testing.B) {
			cat, _ := table400(b, orgs)
			generation := int64(1)
			for b.Loop() {
				generation++
				tbl, err := cat.Load(b.Context(), "alerts")
				must(b, err)
				live, err := snapshots.Read(b.Context(), tbl, "org-000")
				must(b, err)
				tx := tbl.NewTransaction()
				must(b, tx.ReplaceDataFilesWithDataFiles(b.Context(), live.Partitions[20399].Files,
					[]iceberg.DataFile{dataFile(b, tbl, "org-000", 20399, generation)}, nil, table.WithoutAutoNameMapping()))
				_, err = tx.Commit(b.Context())
				must(b, err)
			}
		})
	}
}

package push_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"
	"go.uber.org/goleak"

	"github.com/flashback-sync/flashback-sync/iceberg/catalogs"
	"github.com/flashback-sync/flashback-sync/iceberg/internal/lakegen"
	"github.com/flashback-sync/flashback-sync/iceberg/lake"
	"github.com/flashback-sync/flashback-sync/iceberg/push"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("database/sql.(*DB).connectionOpener"))
}

var day0 = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func day(n int) time.Time { return day0.AddDate(0, 0, n) }

// bench is a lake, a catalog and the tables that a test pushes to.
type bench struct {
	*testing.T
	lake    *lakegen.Lake
	config  catalogs.Config
	catalog *catalogs.Catalog
}

func setUp(t *testing.T) *bench {
	t.Helper()
	dir := t.TempDir()
	b := &bench{T: t, lake: newLake(t, 1), config: catalogs.Config{
		URI: "sqlite://" + filepath.Join(dir, "catalog.db"), Name: "flashback", Namespace: "flashback",
		Warehouse: "file://" + filepath.Join(dir, "warehouse"),
	}}
	b.catalog = b.open()
	return b
}

func (b *bench) open() *catalogs.Catalog {
	b.Helper()
	opened, err := catalogs.Open(b.Context(), b.config)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = opened.Close() })
	return opened
}

func newLake(t *testing.T, seed uint64) *lakegen.Lake {
	t.Helper()
	l, err := lakegen.New(t.TempDir(), seed)
	must(t, err)
	return l
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// fill gives the lake some days and months.
func fill(t *testing.T, l *lakegen.Lake, days, rows int) {
	t.Helper()
	for n := range days {
		must(t, l.Set("alerts", day(n), rows, 0))
		must(t, l.Set("violations", day(n), rows/2, 0))
	}
	must(t, l.Set("policy_stats", day0, rows, 0))
	must(t, l.Set("events_daily", day0, rows, 0))
	must(t, l.Publish(day(days)))
}

func pushLake(ctx context.Context, l *lakegen.Lake, cat *catalogs.Catalog, org string, change ...func(*push.Options)) (*push.Result, error) {
	opened, err := lake.Open(l.Dir)
	if err != nil {
		return nil, err
	}
	defer opened.Close()
	o := push.Options{Lake: opened, Catalog: cat, Org: org, Run: "00000000abcd", Log: slog.New(slog.NewTextHandler(io.Discard, nil))}
	for _, c := range change {
		c(&o)
	}
	return push.Run(ctx, o)
}

func (b *bench) push() *push.Result {
	b.Helper()
	result, err := pushLake(b.Context(), b.lake, b.catalog, "default")
	must(b.T, err)
	return result
}

func (b *bench) load(name string) *table.Table {
	b.Helper()
	tbl, err := b.catalog.Load(b.Context(), name)
	must(b.T, err)
	return tbl
}

// rows counts the rows of an organisation, and its distinct values of a column.
func (b *bench) rows(name, org, column string) (rows, distinct int) {
	b.Helper()
	seen := map[string]bool{}
	_, batches, err := b.load(name).Scan(
		table.WithRowFilter(iceberg.EqualTo(iceberg.Reference("org"), org)), table.WithSelectedFields("org", column),
	).ToArrowRecords(b.Context())
	must(b.T, err)
	for batch, err := range batches {
		must(b.T, err)
		rows += int(batch.NumRows())
		for i := range int(batch.NumRows()) {
			seen[batch.Column(1).ValueStr(i)] = true
		}
		batch.Release()
	}
	return rows, len(seen)
}

func (b *bench) wantRows(name, org string, want int) {
	b.Helper()
	rows, distinct := b.rows(name, org, "id")
	if rows != want || distinct != want {
		b.Errorf("%s of %s has %d rows with %d ids, want %d", name, org, rows, distinct, want)
	}
}

func TestPushEverythingOnce(t *testing.T) {
	b := setUp(t)
	fill(t, b.lake, 5, 100)
	first := b.push()
	for name, result := range first.Tables {
		if result.Snapshot == 0 || result.Commits != 1 {
			t.Errorf("%s: %+v", name, result)
		}
	}
	b.wantRows("alerts", "default", 500)
	b.wantRows("violations", "default", 250)
	for name, result := range b.push().Tables {
		if result.Snapshot != 0 || result.Commits != 0 || result.Bytes != 0 {
			t.Errorf("nothing was to do, but %s: %+v", name, result)
		}
	}
	if n := len(b.load("alerts").Metadata().Snapshots()); n != 1 {
		t.Errorf("alerts has %d snapshots, want 1", n)
	}
}

func TestPushOfOneChangedDayIsOneCommit(t *testing.T) {
	b := setUp(t)
	fill(t, b.lake, 5, 100)
	b.push()
	must(t, b.lake.Set("alerts", day(3), 120, 1))
	must(t, b.lake.Set("alerts", day(5), 10, 0))
	must(t, b.lake.Set("alerts", day(0), 0, 0))
	must(t, b.lake.Publish(day(6)))
	alerts := b.push().Tables["alerts"]
	if alerts.Written != 2 || alerts.Removed != 1 || alerts.Rows != 130 {
		t.Errorf("alerts: %+v", alerts)
	}
	b.wantRows("alerts", "default", 3*100+120+10)
	snapshot := b.load("alerts").CurrentSnapshot()
	for key, want := range map[string]string{
		"total-records": "430", "total-data-files": "5", "deleted-records": "200", "flashback.generation": "2", "flashback.org": "default",
	} {
		if got := snapshot.Summary.Properties[key]; got != want {
			t.Errorf("summary %s is %q, want %q", key, got, want)
		}
	}
}

func TestOlderManifestIsRefused(t *testing.T) {
	b := setUp(t)
	fill(t, b.lake, 2, 100)
	must(t, b.lake.Publish(day(2)))
	b.push()
	older := newLake(t, 1)
	fill(t, older, 1, 50)
	_, err := pushLake(t.Context(), older, b.catalog, "default")
	if !errors.Is(err, push.ErrOlder) {
		t.Fatalf("got %v, want ErrOlder", err)
	}
	b.wantRows("alerts", "default", 200)
	_, err = pushLake(t.Context(), older, b.catalog, "default", func(o *push.Options) { o.Rebuilt = true })
	must(t, err)
	b.wantRows("alerts", "default", 50)
}

func TestNewColumnIsAdded(t *testing.T) {
	b := setUp(t)
	fill(t, b.lake, 2, 100)
	b.push()
	alerts := b.lake.Table("alerts")
	alerts.Columns = append(alerts.Columns, lake.Column{Name: "region", Type: "VARCHAR", Privacy: "personal", Comment: "Where."})
	must(t, b.lake.Set("alerts", day(1), 100, 1))
	must(t, b.lake.Publish(day(2)))
	b.push()
	b.wantRows("alerts", "default", 200)
	field, found := b.load("alerts").Schema().FindFieldByName("region")
	if !found || field.Doc != "Where." {
		t.Errorf("the new column is %v", field)
	}
	if mode := b.load("alerts").Properties()["write.metadata.metrics.column.region"]; mode != "none" {
		t.Errorf("metrics of the new column are %q", mode)
	}
	if _, distinct := b.rows("alerts", "default", "region"); distinct < 50 {
		t.Errorf("the new column has %d distinct values", distinct)
	}
}

func TestTablesOfManyOrganisations(t *testing.T) {
	b := setUp(t)
	fill(t, b.lake, 3, 100)
	b.push()
	other := newLake(t, 2)
	fill(t, other, 2, 10)
	_, err := pushLake(t.Context(), other, b.catalog, "other")
	must(t, err)
	must(t, b.lake.Set("alerts", day(0), 0, 0))
	must(t, b.lake.Publish(day(3)))
	b.push()
	b.wantRows("alerts", "default", 200)
	b.wantRows("alerts", "other", 20)
}

func TestForeignRowsAreReplaced(t *testing.T) {
	b := setUp(t)
	fill(t, b.lake, 2, 100)
	b.push()
	// Another program deletes rows; iceberg-go rewrites the day's file without them.
	_, err := b.load("alerts").Delete(t.Context(), iceberg.LessThan(iceberg.Reference("timestamp"), day0.Add(6*time.Hour).UnixMicro()), nil)
	must(t, err)
	if rows, _ := b.rows("alerts", "default", "id"); rows >= 200 {
		t.Fatalf("alerts has %d rows after the deletion", rows)
	}
	b.push()
	b.wantRows("alerts", "default", 200)
}

func TestOnlyTheTimeHasBounds(t *testing.T) {
	b := setUp(t)
	fill(t, b.lake, 1, 100)
	b.push()
	tbl := b.load("alerts")
	files, err := tbl.Scan().PlanFiles(t.Context())
	must(t, err)
	for _, c := range b.lake.Table("alerts").Columns {
		field, _ := tbl.Schema().FindFieldByName(c.Name)
		_, bounded := files[0].File.LowerBoundValues()[field.ID]
		if bounded != (c.Name == "timestamp") {
			t.Errorf("column %s of class %s has bounds: %t", c.Name, c.Privacy, bounded)
		}
	}
}

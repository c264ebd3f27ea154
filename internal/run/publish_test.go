package run_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/flashback-sync/flashback-sync/extract/api"
	"github.com/flashback-sync/flashback-sync/internal/apisim"
	"github.com/flashback-sync/flashback-sync/internal/run"
	"github.com/flashback-sync/flashback-sync/load"
	"github.com/flashback-sync/flashback-sync/load/duckdb"
	"github.com/flashback-sync/flashback-sync/load/snapshot"
	"github.com/flashback-sync/flashback-sync/schema"
)

// blocked runs with something in the place of a file that is to be published,
// and puts the file back, as if the run had been killed there.
func (w *world) blocked(path string, o run.Options) {
	w.t.Helper()
	place := filepath.Join(w.dir, path)
	aside := filepath.Join(filepath.Dir(place), ".aside")
	if err := errors.Join(os.Rename(place, aside), os.MkdirAll(filepath.Join(place, "in", "the", "way"), 0o750)); err != nil {
		w.t.Fatal(err)
	}
	_, err := w.sync(context.Background(), o)
	var storage *duckdb.StorageError
	if !errors.As(err, &storage) {
		w.t.Fatalf("%v, want a storage error", err)
	}
	if err := errors.Join(os.RemoveAll(place), os.Rename(aside, place)); err != nil {
		w.t.Fatal(err)
	}
}

func TestWhatACrashLeftUnpublishedIsPublishedByTheNextRun(t *testing.T) {
	t.Parallel()
	today := "lake/alerts/date=" + noon.Format("2006-01-02") + "/alerts.parquet"
	for _, path := range []string{today, "lake/manifest.json", snapshot.Name} {
		t.Run(path, func(t *testing.T) {
			w := synced(t, small(), alerts)
			o := w.options(alerts)
			w.add(apisim.Alerts, noon.Add(-time.Second), 1)
			w.blocked(path, o)
			w.mustSync(o) // finds nothing new
			w.equalsTruth(apisim.Alerts)
		})
	}
}

func TestLeftoversArePublishedBeforeAnyRequest(t *testing.T) {
	t.Parallel()
	w := synced(t, small(), alerts)
	o := w.options(alerts)
	w.add(apisim.Alerts, noon.Add(-time.Second), 1)
	w.blocked(snapshot.Name, o)

	w.sim.Inject(apisim.Fault{Kind: apisim.FaultStatus, Status: 400})
	summary, err := w.sync(context.Background(), o)
	if err != nil || api.KindOf(summary.Streams[alerts].Err) != api.Refused {
		t.Fatalf("%v, %v", err, summary.Streams[alerts].Err)
	}
	published := w.published("SELECT count(*) FROM alerts")
	if published != strconv.Itoa(w.sim.Len(apisim.Alerts)) {
		t.Errorf("%s rows are published, %d are committed", published, w.sim.Len(apisim.Alerts))
	}
}

func TestRejectsThatACrashLeftUnpublishedArePublished(t *testing.T) {
	t.Parallel()
	w := synced(t, small(), alerts)
	o := w.options(alerts)
	w.sim.AddRaw(apisim.Alerts, noon.Add(-time.Second), `{"id":"x","timestamp":"no time"}`)
	w.blocked(snapshot.Name, o)
	w.mustSync(o)
	if got := w.published("SELECT count(*) FROM rejected_records"); got != "1" {
		t.Errorf("%s rejects are published", got)
	}
}

func TestALostFileIsWrittenAgain(t *testing.T) {
	t.Parallel()
	w := synced(t, small())
	o := w.options()
	before := w.files()
	lost := "lake/violations/date=" + noon.Add(-2*day).Format("2006-01-02") + "/violations.parquet"
	if err := os.Remove(filepath.Join(w.dir, lost)); err != nil {
		t.Fatal(err)
	}
	w.mustSync(o)
	w.equalsTruth()
	if after := w.files(); after[lost].Hash != before[lost].Hash {
		t.Error("the file has other content than before")
	}
	for _, path := range []string{snapshot.Name, "lake/manifest.json"} {
		if err := os.Remove(filepath.Join(w.dir, path)); err != nil {
			t.Fatal(err)
		}
		w.mustSync(o)
		w.equalsTruth()
	}
}

func TestOnlyWhatChangedIsRewritten(t *testing.T) {
	t.Parallel()
	w := synced(t, small())
	before := w.files()
	w.add(apisim.Alerts, noon.Add(-day), 1)
	w.mustSync(w.options())
	after := w.files()
	want := map[string]bool{
		"lake/alerts/date=" + noon.Add(-day).Format("2006-01-02") + "/alerts.parquet": true, "lake/manifest.json": true, snapshot.Name: true,
		"lake/events_daily/month=" + noon.Add(-day).Format("2006-01") + "/events_daily.parquet": true,
	}
	for path := range after {
		if (before[path] != after[path]) != want[path] {
			t.Errorf("%s: rewritten %v, want %v", path, before[path] != after[path], want[path])
		}
	}
}

func TestTheSnapshotCanBeLeftOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t, small())
	o := w.options(alerts)
	o.PublishDuckDB = false
	w.mustSync(o)
	if _, err := os.Stat(filepath.Join(w.dir, snapshot.Name)); !os.IsNotExist(err) {
		t.Errorf("%s was written: %v", snapshot.Name, err)
	}
	if got := len(w.lake(schema.Alerts())); got != w.sim.Len(apisim.Alerts) {
		t.Errorf("%d rows in the lake", got)
	}
	o.PublishDuckDB = true
	w.mustSync(o)
	w.equalsTruth(apisim.Alerts)
}

// A reader that opened the old file keeps reading it, whatever is published.
func TestAReaderKeepsWhatItOpened(t *testing.T) {
	t.Parallel()
	w := synced(t, small())
	rows := w.sim.Len(apisim.Alerts)
	reader := open(t, filepath.Join(w.dir, snapshot.Name))
	defer func() { _ = reader.Close() }()
	count := func() (n int) {
		if err := reader.QueryRow("SELECT count(*) FROM alerts WHERE message IS NOT NULL").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	if got := count(); got != rows {
		t.Fatalf("%d rows, want %d", got, rows)
	}
	w.add(apisim.Alerts, noon.Add(-time.Second), 50)
	w.mustSync(w.options())
	if got := count(); got != rows {
		t.Errorf("the reader sees %d rows, it opened %d", got, rows)
	}
	if err := reader.Close(); err != nil { // or DuckDB would give us the same file again
		t.Fatal(err)
	}
	w.equalsTruth()
}

func TestSecondInstanceSendsNoRequest(t *testing.T) {
	t.Parallel()
	w := synced(t, small())
	before, asked := w.files(), w.sim.RequestCount()
	other, err := load.Open(context.Background(), load.Options{Dir: w.dir})
	if err != nil {
		t.Fatal(err)
	}
	summary, err := w.sync(context.Background(), w.options())
	if !errors.Is(err, load.ErrLocked) || summary.Status != "failed" {
		t.Errorf("%s, %v", summary.Status, err)
	}
	if err := other.Close(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, w.files()); diff != "" || w.sim.RequestCount() != asked {
		t.Errorf("%d requests; files:\n%s", w.sim.RequestCount()-asked, diff)
	}
}

package lake_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/flashback-sync/flashback-sync/checkpoints"
	"github.com/flashback-sync/flashback-sync/load/lake"
	"github.com/flashback-sync/flashback-sync/schema"
)

// attempt publishes without noting it, as a run does that is killed afterwards.
func (s *site) attempt(o lake.Options) error {
	_, err := lake.Publish(context.Background(), o, s)
	return err
}

func day(n int) time.Time { return epoch.AddDate(0, 0, n) }

func alertFile(n int) string { return "alerts/date=" + day(n).Format("2006-01-02") + "/alerts.parquet" }

// rewritten lists the files of before that are there and are other files now.
func (s *site) rewritten(before map[string]os.FileInfo) (paths []string) {
	for path, now := range s.files() {
		if then, ok := before[path]; !ok || !os.SameFile(then, now) {
			paths = append(paths, path)
		}
	}
	return paths
}

func TestPartitionsAreUTCDaysAndMonths(t *testing.T) {
	s := newSite(t)
	last := time.Microsecond
	east := time.FixedZone("", 9*3600)
	s.alerts(
		alert("b", day(1).Add(-last)), alert("a", day(1).Add(-last)), alert("c", day(1)), alert("d", day(2).Add(-last)),
		alert("e", time.Date(2024, 1, 4, 8, 0, 0, 0, east)), // the third of January in UTC
	)
	commit(t, s.Warehouse, build(t, schema.PolicyStats(), append(buckets(epoch, 1), buckets(epoch.AddDate(0, 1, 0).Add(-time.Hour), 2)...)...))
	result := s.publish()
	want := strings.Join([]string{alertFile(0), alertFile(1), alertFile(2), "policy_stats/month=2024-01/policy_stats.parquet", "policy_stats/month=2024-02/policy_stats.parquet"}, " ")
	if got := s.parquet(); got != want || result.Files != 5 || !result.Changed {
		t.Errorf("files %s, %+v", got, result)
	}
	s.checkManifest()
	rows := readWithDuckDB(t, schema.Alerts(), filepath.Join(s.dir, filepath.FromSlash(alertFile(0))))
	if diff := cmp.Diff([]any{"a", "b"}, rows["id"]); diff != "" {
		t.Errorf("rows of one instant are sorted by id (-want +got):\n%s", diff)
	}
	var sum int64
	for _, entry := range s.manifest().Files {
		sum += entry.Bytes
	}
	if sum != result.Bytes || s.manifest().Format != 1 || !s.manifest().GeneratedAt.Equal(now) || s.manifest().Generator == "" {
		t.Errorf("result %+v, manifest %+v", result, s.manifest())
	}
}

func TestOnlyChangedPartitionsAreWrittenAgain(t *testing.T) {
	s := newSite(t)
	s.alerts(alert("a", day(0)), alert("b", day(1)), alert("c", day(2)))
	s.publish()
	before := s.files()
	changed := alert("b", day(1))
	changed["message"] = "changed"
	s.alerts(alert("a", day(0)), changed, alert("d", day(5)))
	s.publish()
	got := s.rewritten(before)
	if want := []string{alertFile(1), alertFile(5), lake.ManifestName}; len(got) != 3 || !cmp.Equal(setOf(got), setOf(want)) {
		t.Errorf("written again: %v, want %v", got, want)
	}
	s.checkManifest()
}

func setOf(paths []string) map[string]bool {
	set := map[string]bool{}
	for _, path := range paths {
		set[path] = true
	}
	return set
}

func TestNothingIsWrittenIfNothingChanged(t *testing.T) {
	s := newSite(t)
	s.alerts(alert("a", day(0)))
	s.publish()
	before := s.files()
	s.alerts(alert("a", day(0)))
	if result := s.publish(); result.Changed || result.Files != 0 || len(result.Written) != 0 {
		t.Errorf("result %+v", result)
	}
	if got := s.rewritten(before); len(got) != 0 {
		t.Errorf("written again: %v", got)
	}
	o := options(s.dir)
	o.Refresh, o.Coverage = true, []checkpoints.Line{{Stream: "alerts", Filter: "{}", Status: "covered", From: epoch, To: now}}
	if err := s.attempt(o); err != nil {
		t.Fatal(err)
	}
	if got := s.rewritten(before); !cmp.Equal(got, []string{lake.ManifestName}) || !cmp.Equal(s.manifest().Coverage, o.Coverage) {
		t.Errorf("refreshed: %v, coverage %v", got, s.manifest().Coverage)
	}
}

func TestEmptyWarehouseHasAManifest(t *testing.T) {
	s := newSite(t)
	if result := s.publish(); !result.Changed {
		t.Errorf("result %+v", result)
	}
	content, err := os.ReadFile(filepath.Join(s.dir, lake.ManifestName))
	if err != nil || bytes.Contains(content, []byte("null")) {
		t.Errorf("%s, %v", content, err)
	}
	if result := s.publish(); result.Changed {
		t.Errorf("again: result %+v", result)
	}
}

func TestAPartitionThatLostItsLastRowLosesItsFile(t *testing.T) {
	s := newSite(t)
	s.alerts(alert("a", day(0)), alert("b", day(1)), alert("c", day(2)))
	s.publish()
	s.alerts(alert("b", day(40))) // it moves, further than a batch spans
	result := s.publish()
	if got, want := s.parquet(), strings.Join([]string{alertFile(0), alertFile(2), alertFile(40)}, " "); got != want {
		t.Errorf("files %s, want %s", got, want)
	}
	if _, err := os.Stat(filepath.Join(s.dir, "alerts", "date=2024-01-02")); !os.IsNotExist(err) {
		t.Errorf("the folder is still there: %v", err)
	}
	if _, sound := result.Intact[alertFile(1)]; sound || result.Files != 1 || result.Removed != 1 || len(result.Written) != 1 {
		t.Errorf("result %+v", result)
	}
	// A partition that has neither rows nor a file is no file written or removed.
	if err := s.MarkChanged(context.Background(), schema.Alerts(), []time.Time{day(90)}); err != nil {
		t.Fatal(err)
	}
	if result := s.publish(); result.Files+result.Removed != 0 || result.Changed {
		t.Errorf("result %+v", result)
	}
	if changed, err := s.Changed(context.Background(), schema.Alerts()); err != nil || len(changed) != 0 {
		t.Errorf("still listed as changed: %v, %v", changed, err)
	}
}

func TestDamagedFilesAreWrittenAgain(t *testing.T) {
	two := newSite(t)
	two.alerts(alert("a", day(0)), alert("b", day(1)))
	for name, damage := range map[string]func(path string) error{
		"missing": os.Remove,
		"folder":  func(path string) error { return os.RemoveAll(filepath.Dir(path)) },
		"cut":     func(path string) error { return os.Truncate(path, 100) },
		"empty":   func(path string) error { return os.Truncate(path, 0) },
		"longer":  func(path string) error { return os.Truncate(path, 1<<20) },
		"a link": func(path string) error {
			return os.Rename(path, path+".away") // what the link below points to
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := two.elsewhere(t)
			s.publish()
			before := s.files()
			path := filepath.Join(s.dir, filepath.FromSlash(alertFile(1)))
			if err := damage(path); err != nil {
				t.Fatal(err)
			}
			if name == "a link" {
				if err := os.Symlink(path+".away", path); err != nil {
					t.Fatal(err)
				}
			}
			s.publish()
			s.checkManifest()
			if info, err := os.Lstat(path); err != nil || !info.Mode().IsRegular() {
				t.Errorf("%v, %v", info, err)
			}
			if after := s.files(); !os.SameFile(before[alertFile(0)], after[alertFile(0)]) {
				t.Error("a whole file was written again")
			}
			if result := s.publish(); result.Changed {
				t.Errorf("again: %+v", result)
			}
		})
	}
}

func TestWithoutAReliableManifestEverythingIsPublishedAgain(t *testing.T) {
	two := newSite(t)
	two.alerts(alert("a", day(0)), alert("b", day(1)))
	for name, content := range map[string]string{
		"missing": "", "not JSON": "<html>", "cut": `{"format": 1, "files": [`, "empty object": `{}`, "null": `null`, "other format": `{"format": 2, "files": []}`,
		"hostile path":   `{"format": 1, "files": [{"table": "alerts", "path": "../../etc/passwd", "min_time": "2024-01-01T00:00:00Z"}]}`,
		"other table":    `{"format": 1, "files": [{"table": "sync_runs", "path": "sync_runs/x", "min_time": "2024-01-01T00:00:00Z"}]}`,
		"another's path": `{"format": 1, "files": [{"table": "alerts", "path": "alerts/date=2024-01-02/alerts.parquet", "min_time": "2024-01-01T00:00:00Z"}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			s := two.elsewhere(t)
			s.publish()
			// Files of rows that the warehouse does not hold: published from one that was lost.
			for _, stale := range []string{alertFile(7), "policy_stats/month=2020-01/policy_stats.parquet"} {
				write(t, filepath.Join(s.dir, filepath.FromSlash(stale)), "stale")
			}
			foreign := filepath.Join(s.dir, "alerts", "date=yesterday", "alerts.parquet")
			write(t, foreign, "not ours")
			manifest := filepath.Join(s.dir, lake.ManifestName)
			if err := os.Remove(manifest); err != nil {
				t.Fatal(err)
			}
			if content != "" {
				write(t, manifest, content)
			}
			before := s.files()
			s.publish()
			if _, err := os.Stat(foreign); err != nil {
				t.Errorf("a file that is not ours: %v", err)
			}
			if err := os.RemoveAll(filepath.Dir(foreign)); err != nil {
				t.Fatal(err)
			}
			if got, want := s.parquet(), alertFile(0)+" "+alertFile(1); got != want || len(s.rewritten(before)) != 3 {
				t.Errorf("files %s, want %s; written again: %v", got, want, s.rewritten(before))
			}
			s.checkManifest()
			if result := s.publish(); result.Changed {
				t.Errorf("again: %+v", result)
			}
		})
	}
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestLongRangesAndGaps(t *testing.T) {
	s := newSite(t)
	var rows []values
	for n := range 66 {
		if n == 40 || n == 41 || n == 50 {
			continue
		}
		rows = append(rows, alert(fmt.Sprint("start", n), day(n)), alert(fmt.Sprint("end", n), day(n+1).Add(-time.Microsecond)))
	}
	s.alerts(rows...)
	var hours []values
	for month := range 33 {
		hours = append(hours, buckets(epoch.AddDate(0, month, 0), 1)...)
	}
	commit(t, s.Warehouse, build(t, schema.PolicyStats(), hours...))
	o := options(s.dir)
	o.Compression = "none" // a hundred compressors are slow under the race detector
	if err := s.attempt(o); err != nil {
		t.Fatal(err)
	}
	if files := s.manifest().Files; len(files) != 63+33 {
		t.Errorf("%d files", len(files))
	}
	s.checkManifest()
	for _, entry := range s.manifest().Files {
		if entry.Rows != 2 {
			t.Errorf("%s: %d rows", entry.Path, entry.Rows)
		}
	}
	if rows := duckDB(t, fmt.Sprintf("SELECT count(*), count(DISTINCT date) FROM read_parquet(%s)", schema.Literal(filepath.Join(s.dir, "alerts/*/*.parquet")))); rows[0][0] != int64(126) || rows[0][1] != int64(63) {
		t.Errorf("DuckDB counts %v", rows)
	}
}

// DuckDB hands rows over 2,048 at a time: here a batch ends with a day, and a day
// begins with a batch.
func TestABatchThatEndsAtMidnight(t *testing.T) {
	s := newSite(t)
	var rows []values
	for i := range 3 * 2048 {
		rows = append(rows, alert(fmt.Sprintf("%05d", i), day(i/2048).Add(time.Duration(i)*time.Second)))
	}
	s.alerts(rows...)
	s.publish()
	s.checkManifest()
	for _, entry := range s.manifest().Files {
		if entry.Rows != 2048 {
			t.Errorf("%s: %d rows", entry.Path, entry.Rows)
		}
	}
}

func TestTheFirstAndTheLastYear(t *testing.T) {
	s := newSite(t)
	last := time.Date(9999, 12, 31, 23, 59, 59, 999999000, time.UTC)
	s.alerts(alert("first", time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)), alert("last", last))
	commit(t, s.Warehouse, build(t, schema.PolicyStats(), buckets(last.Truncate(time.Hour), 1)...))
	s.publish()
	want := "alerts/date=0001-01-01/alerts.parquet alerts/date=9999-12-31/alerts.parquet policy_stats/month=9999-12/policy_stats.parquet"
	if got := s.parquet(); got != want {
		t.Errorf("files %s", got)
	}
	s.checkManifest()
	if result := s.publish(); result.Changed {
		t.Errorf("again: %+v", result)
	}
}

func TestAReaderOfAnOldFileKeepsReadingIt(t *testing.T) {
	s := newSite(t)
	s.alerts(alert("a", day(0)))
	s.publish()
	path := filepath.Join(s.dir, filepath.FromSlash(alertFile(0)))
	old, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	reader, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = reader.Close() }()
	s.alerts(alert("b", day(0)))
	s.publish()
	if got, err := io.ReadAll(reader); err != nil || !bytes.Equal(got, old) {
		t.Errorf("the old reader got %d bytes, %v", len(got), err)
	}
	if got, _ := os.ReadFile(path); bytes.Equal(got, old) {
		t.Error("a new reader gets the old file")
	}
}

func TestPathsContainNothingFromTheSource(t *testing.T) {
	s := newSite(t)
	row := alert("../../../escape", day(0))
	for _, c := range schema.Alerts().Batch() {
		if c.Type == schema.Text && c.Name != "id" {
			row[c.Name] = "../../../" + c.Name + "/=%2e\x00"
		}
	}
	s.alerts(row)
	points := buckets(epoch, 1)[:1]
	points[0]["scope"], points[0]["scope_id"], points[0]["bucket_size"] = "../x", "/etc/passwd", "../1h"
	commit(t, s.Warehouse, build(t, schema.PolicyStats(), points...))
	s.publish()
	if got, want := s.parquet(), alertFile(0)+" policy_stats/month=2024-01/policy_stats.parquet"; got != want {
		t.Errorf("files %s, want %s", got, want)
	}
}

// A crash after the files and before the manifest: the next run says what is.
func TestPartitionsArePublishedAgainUntilMarked(t *testing.T) {
	s := newSite(t)
	s.alerts(alert("a", day(0)))
	s.publish()
	old, err := os.ReadFile(filepath.Join(s.dir, lake.ManifestName))
	if err != nil {
		t.Fatal(err)
	}
	s.alerts(alert("b", day(0)), alert("c", day(1)))
	if err := s.attempt(options(s.dir)); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(s.dir, lake.ManifestName), string(old))
	s.publish()
	s.checkManifest()
	if got, want := s.parquet(), alertFile(0)+" "+alertFile(1); got != want {
		t.Errorf("files %s, want %s", got, want)
	}
}

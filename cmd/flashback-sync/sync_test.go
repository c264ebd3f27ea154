package main

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/flashback-sync/flashback-sync/internal/apisim"
	"github.com/flashback-sync/flashback-sync/internal/run"
)

func (b *bench) complete() {
	b.t.Helper()
	for _, stream := range []apisim.Stream{apisim.Alerts, apisim.Violations} {
		ids := make([]string, 0, b.sim.Len(stream))
		for _, row := range b.sim.Rows(stream) {
			ids = append(ids, row.ID)
		}
		slices.Sort(ids)
		got := strings.Fields(b.must("query", "-f", "csv", "SELECT id FROM "+string(stream)+" ORDER BY id").stdout)
		if !slices.Equal(got[1:], ids) {
			b.t.Errorf("%s: %d rows are published, the source has %d", stream, len(got)-1, len(ids))
		}
	}
}

func TestSyncCopiesEverythingAndSaysSo(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	started := time.Now().Add(-time.Second)
	r := b.must("sync", "--json")
	var told map[string]any
	if err := json.Unmarshal([]byte(lastLine(r.stdout)), &told); err != nil {
		t.Fatalf("the last line of stdout: %v\n%s", err, r.stdout)
	}
	if got, want := slices.Sorted(maps.Keys(told)), []string{"finished_at", "run_id", "started_at", "status", "streams"}; !slices.Equal(got, want) {
		t.Errorf("keys %v, want %v", got, want)
	}
	streams := told["streams"].(map[string]any)
	if got := slices.Sorted(maps.Keys(streams)); !slices.Equal(got, []string{"alerts", "policy_stats", "violations"}) {
		t.Errorf("streams %v", got)
	}
	for name, value := range streams {
		stream := value.(map[string]any)
		for _, key := range []string{"requests", "rows_received", "rows_inserted", "rows_updated", "rows_unchanged", "rows_rejected", "complete", "from", "to", "error"} {
			if _, there := stream[key]; !there {
				t.Errorf("%s lacks %s", name, key)
			}
		}
		if stream["complete"] != true || stream["error"] != nil || stream["requests"].(float64) < 1 {
			t.Errorf("%s: %v", name, stream)
		}
	}
	if got := streams["alerts"].(map[string]any)["rows_inserted"]; got != float64(b.sim.Len(apisim.Alerts)) {
		t.Errorf("%v alerts inserted, the source has %d", got, b.sim.Len(apisim.Alerts))
	}
	var summary run.Summary
	if err := json.Unmarshal([]byte(lastLine(r.stdout)), &summary); err != nil || summary.Status != "ok" {
		t.Errorf("%v, status %q", err, summary.Status)
	}
	if summary.StartedAt.Before(started) || summary.FinishedAt.Before(summary.StartedAt) {
		t.Errorf("from %v to %v", summary.StartedAt, summary.FinishedAt)
	}
	for _, line := range strings.Split(strings.TrimSpace(r.stderr), "\n") {
		if !json.Valid([]byte(line)) {
			t.Errorf("a log line is not JSON: %s", line)
		}
	}
	b.complete()
}

func TestSyncNarrowedByFlags(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	one := func(args ...string) map[string]*run.Result {
		t.Helper()
		var summary run.Summary
		if err := json.Unmarshal([]byte(lastLine(b.must(append([]string{"sync", "--json"}, args...)...).stdout)), &summary); err != nil {
			t.Fatal(err)
		}
		return summary.Streams
	}
	if got := slices.Sorted(maps.Keys(one("--stream", "violations"))); !slices.Equal(got, []string{"violations"}) {
		t.Errorf("streams %v", got)
	}
	if got := slices.Sorted(maps.Keys(one("--stream", "alerts,policy_stats"))); !slices.Equal(got, []string{"alerts", "policy_stats"}) {
		t.Errorf("streams %v", got)
	}
	b.complete()
	old := b.sim.Alerts()[3]
	b.sim.Update(apisim.Alerts, old.ID, func(r *apisim.Row) { r.Message = "changed" })
	r := one("--stream", "alerts", "--from", old.Timestamp.Add(-time.Hour).Format(time.RFC3339), "--to", old.Timestamp.Add(time.Hour).Format(time.RFC3339))["alerts"]
	if r.Updated != 1 || r.Inserted != 0 {
		t.Errorf("%+v, want one updated", *r)
	}
	one("--stream", "alerts", "--from", "2026-03-16", "--to", "2026-03-17")
}

func TestADryRunOnlyAsks(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	r := b.must("sync", "--dry-run")
	if want := strconv.Itoa(b.sim.Len(apisim.Alerts)) + " rows"; !strings.Contains(r.stderr+r.stdout, want) {
		t.Errorf("it does not say %q:\n%s%s", want, r.stdout, r.stderr)
	}
	if _, err := os.Stat(b.data()); !os.IsNotExist(err) {
		t.Errorf("it says that it writes nothing, and made data_dir: %v", err)
	}
	if asked := b.sim.RequestCount(); asked > 8 {
		t.Errorf("%d requests", asked)
	}
}

func TestConfigurationFromTheEnvironmentOnly(t *testing.T) {
	b := newBench(t)
	t.Chdir(t.TempDir())
	b.config = ""
	b.wants(2, "flashback-sync.yaml", "sync")
	maps.Copy(b.env, map[string]string{
		"FLASHBACK_SYNC_API_BASE_URL": b.url, "FLASHBACK_SYNC_DATA_DIR": b.data(), "FLASHBACK_SYNC_STREAMS": "alerts,violations",
		"FLASHBACK_SYNC_STREAMS_ALERTS_START": "2026-03-10", "FLASHBACK_SYNC_STREAMS_VIOLATIONS_START": "2026-03-10",
		"FLASHBACK_SYNC_API_TOKEN_ENV": "MY_TOKEN", "MY_TOKEN": canary,
	})
	delete(b.env, "FLASHBACK_TOKEN")
	b.must("sync")
	b.complete()
}

func TestASyncThatFindsNothingRewritesNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.must("sync")
	before := b.published()
	b.sim.ResetRequests()
	b.must("sync")
	if diff := cmp.Diff(before, b.published()); diff != "" {
		t.Errorf("files were rewritten:\n%s", diff)
	}
	for _, r := range b.sim.Requests() {
		if len(r.Unknown) > 0 {
			t.Errorf("undocumented parameters %v", r.Unknown)
		}
		if take, _ := strconv.Atoi(r.Query.Get("take")); take > 100 {
			t.Errorf("take %d", take)
		}
	}
}

// published gives every published file's time of change.
func (b *bench) published() map[string]time.Time {
	b.t.Helper()
	out := map[string]time.Time{}
	err := filepath.WalkDir(b.data(), func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			if err == nil && entry.Name() == "state" {
				return filepath.SkipDir
			}
			return err
		}
		info, err := entry.Info()
		out[path] = info.ModTime()
		return err
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return out
}

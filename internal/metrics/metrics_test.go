package metrics

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/flashback-sync/flashback-sync/internal/journal"
	"github.com/flashback-sync/flashback-sync/internal/status"
)

// parse reads the text format with Prometheus' own parser, into series and values.
func parse(t *testing.T, content []byte) (values map[string]float64, families map[string]*dto.MetricFamily) {
	t.Helper()
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(content))
	if err != nil {
		t.Fatalf("%v in\n%s", err, content)
	}
	values = map[string]float64{}
	for name, f := range families {
		for _, m := range f.GetMetric() {
			key := strings.TrimPrefix(name, prefix)
			for _, l := range m.GetLabel() {
				key += fmt.Sprintf(" %s=%s", l.GetName(), l.GetValue())
			}
			values[key] = m.GetGauge().GetValue() + m.GetCounter().GetValue()
		}
	}
	return values, families
}

func scrape(t *testing.T, s *status.Status) map[string]float64 {
	t.Helper()
	answer := httptest.NewRecorder()
	Handler(func() *status.Status { return s }).ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if answer.Code != http.StatusOK {
		t.Fatalf("HTTP %d: %s", answer.Code, answer.Body)
	}
	values, _ := parse(t, answer.Body.Bytes())
	return values
}

// ours are the values without those of the process.
func ours(values map[string]float64) map[string]float64 {
	maps.DeleteFunc(values, func(key string, _ float64) bool {
		return strings.HasPrefix(key, "go_") || strings.HasPrefix(key, "process_") || strings.HasPrefix(key, "promhttp_")
	})
	return values
}

func TestEverythingThatIsKnownIsShown(t *testing.T) {
	unix := func(ago time.Duration) float64 { return float64(noon.Add(-ago).Unix()) }
	want := map[string]float64{
		"build_info version=v1.2.3": 1,
		"problems level=bad":        1, "problems level=note": 1, "problems level=warn": 2,
		"stale_after_seconds":       36 * 3600,
		"published_bytes file=lake": 2 << 20, "published_bytes file=duckdb": 3 << 20,
		"lake_files": 12, "published_timestamp_seconds": unix(time.Hour),
		"rows stream=alerts": 1234, "rows stream=violations": 0,
		"oldest_row_timestamp_seconds stream=alerts":     unix(1000 * time.Hour),
		"newest_row_timestamp_seconds stream=alerts":     unix(2 * time.Hour),
		"complete_until_timestamp_seconds stream=alerts": unix(time.Hour),
		"lag_seconds stream=alerts":                      3600,
		"coverage_gaps stream=alerts":                    1, "coverage_gaps stream=violations": 0,
		"coverage_lost_ranges stream=alerts": 1, "coverage_lost_ranges stream=violations": 0,
		"rejected_records stream=alerts": 2, "rejected_records stream=violations": 0,
		"lateness_median_seconds stream=alerts": 60, "lateness_p99_seconds stream=alerts": 3600, "lateness_max_seconds stream=alerts": 1.5,
		"lookback_seconds stream=alerts":    72 * 3600,
		"rows_received_total stream=alerts": 100, "rows_received_total stream=violations": 0,
		"rows_inserted_total stream=alerts": 40, "rows_inserted_total stream=violations": 0,
		"rows_updated_total stream=alerts": 3, "rows_updated_total stream=violations": 0,
		"rows_rejected_total stream=alerts": 2, "rows_rejected_total stream=violations": 0,
		"run_duration_seconds_total job=sync": 150.5, "run_duration_seconds_total job=repair": 3, "run_duration_seconds_total job=verify": 0,
		"requests_total status=200": 700, "requests_total status=429": 2, "requests_total status=none": 3, "requests_total status=other": 2,
		"requests_total status=401": 0, "requests_total status=403": 0, "requests_total status=404": 0,
		"requests_total status=500": 0, "requests_total status=502": 0, "requests_total status=503": 0, "requests_total status=504": 0,
		"retries_total": 5, "run_in_progress": 1, "run_started_timestamp_seconds": unix(time.Minute),
		"next_run_timestamp_seconds job=sync": unix(-time.Hour), "next_run_timestamp_seconds job=verify": unix(-2 * time.Hour),
		"last_run_timestamp_seconds job=sync": unix(30*time.Minute - 90*time.Second), "last_run_duration_seconds job=sync": 90,
		"last_run_success job=sync": 0, "last_run_exit_code job=sync": 5, "last_run_peak_memory_bytes job=sync": 90 << 20,
		"last_success_timestamp_seconds job=sync": unix(59 * time.Minute),
		"verification_timestamp_seconds":          unix(59 * time.Minute), "verification_missing_rows": 0,
		"verification_verdict verdict=match": 1, "verification_verdict verdict=missing": 0, "verification_verdict verdict=extra": 0,
		"verification_verdict verdict=differs": 0, "verification_verdict verdict=unproven": 0,
	}
	for _, job := range []string{"sync", "verify", "repair"} {
		for _, how := range statuses {
			want[fmt.Sprintf("runs_total job=%s status=%s", job, how)] = float64(full().Totals.Runs[job][how])
		}
	}
	if diff := cmp.Diff(want, ours(scrape(t, full()))); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// An optional stream that the source does not have would look as if it were never
// complete, and one that is no longer synced as if it were stale.
func TestAStreamThatIsNotAwaitedHasNoSeries(t *testing.T) {
	unserved, retired := full(), full()
	unserved.Runs[1].Streams["violations"] = journal.Stream{Complete: true}
	retired.Holdings.Streams[1].Retired, retired.Holdings.Streams[1].Rows = true, 7
	for name, s := range map[string]*status.Status{"not served": unserved, "retired": retired} {
		for key := range ours(scrape(t, s)) {
			if strings.Contains(key, "stream=violations") && !strings.HasPrefix(key, "rows_") {
				t.Errorf("%s: %s is shown", name, key)
			}
		}
	}
}

func TestWhatIsUnknownIsAbsent(t *testing.T) {
	for name, s := range map[string]*status.Status{"nothing yet": nil, "nothing read": {At: noon, Version: "dev"}} {
		for key := range ours(scrape(t, s)) {
			for _, unknown := range []string{"lag", "rows", "last_", "verification", "published", "complete", "stale", "lateness", "lookback", "coverage", "runs_total", "next"} {
				if strings.HasPrefix(key, unknown) {
					t.Errorf("%s: %s is shown", name, key)
				}
			}
		}
	}
	s := full()
	s.Runs, s.Holdings.Streams[0].Lanes = nil, nil // never read completely
	values := scrape(t, s)
	for _, key := range []string{"lag_seconds stream=alerts", "complete_until_timestamp_seconds stream=alerts", "last_run_success job=sync"} {
		if value, shown := values[key]; shown {
			t.Errorf("%s is %g", key, value)
		}
	}
}

func TestNamesAndHelpFollowTheConventions(t *testing.T) {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collector{full, true})
	problems, err := testutil.GatherAndLint(registry)
	if err != nil || len(problems) > 0 {
		t.Errorf("%v %v", err, problems)
	}
	all, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range all {
		if name, help := strings.TrimPrefix(f.GetName(), prefix), f.GetHelp(); len(help) < 20 && name != "lake_files" && name != "rows" || !strings.HasSuffix(help, ".") {
			t.Errorf("%s: %q", name, help)
		}
	}
}

func TestLabelsAreBoundedWhateverIsThere(t *testing.T) {
	s := full()
	s.Version = strings.Repeat("\xff1", 500)
	for i := range 2000 {
		strange := fmt.Sprintf("strange-%d\xff", i)
		s.Totals.Requests[fmt.Sprint(i)] = 1
		s.Totals.Requests[strange] = 1
		s.Totals.Runs[strange] = map[string]int64{strange: 1}
		s.Totals.Runs["sync"][strange] = 1
		s.Totals.Streams[strange] = journal.StreamTotals{Received: 1}
		s.Holdings.Streams = append(s.Holdings.Streams, status.Stream{Name: strange})
		s.Jobs = append(s.Jobs, status.Job{Name: strange, Next: noon})
		s.Runs = append(s.Runs, journal.Run{Job: strange, Command: strange, Status: strange, Verdict: strange})
	}
	if n := len(ours(scrape(t, s))); n > 300 {
		t.Errorf("%d series", n)
	}
}

func TestCountersNeverGoBackwards(t *testing.T) {
	dir, last := dataDir(t), map[string]float64{}
	run := func(i int) journal.Run {
		return journal.Run{
			RunID: fmt.Sprint(i), Command: "sync", Job: "sync", Status: statuses[i%len(statuses)],
			StartedAt: noon.Add(time.Duration(i) * time.Minute), FinishedAt: noon.Add(time.Duration(i)*time.Minute + time.Second),
			Requests: map[string]int64{"200": 3, "none": 1}, Retries: 1,
			Streams: map[string]journal.Stream{"alerts": {Received: 10, Inserted: 4, Updated: 1, Rejected: 1}},
		}
	}
	const almostFull = 2*journal.Keep - 10
	var lines bytes.Buffer
	for i := range almostFull {
		if err := json.NewEncoder(&lines).Encode(run(i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "state", "runs.jsonl"), lines.Bytes(), 0o640); err != nil {
		t.Fatal(err)
	}
	for i := almostFull; i < almostFull+16; i++ { // it is folded on the way
		if err := journal.Append(dir, run(i)); err != nil {
			t.Fatal(err)
		}
		if i%4 != 0 {
			continue
		}
		j, err := journal.Read(dir)
		if err != nil {
			t.Fatal(err)
		}
		now := ours(scrape(t, &status.Status{At: noon, Journal: *j}))
		for key, value := range now {
			if strings.Contains(key, "_total") && value < last[key] {
				t.Fatalf("after %d runs %s fell from %g to %g", i+1, key, last[key], value)
			}
		}
		if got, want := now["rows_received_total stream=alerts"], float64(10*(i+1)); got != want {
			t.Fatalf("%g rows received, want %g", got, want)
		}
		last = now
	}
	if j, err := journal.Read(dir); err != nil || len(j.Runs) >= almostFull {
		t.Errorf("%d runs are each on a line of its own, %v", len(j.Runs), err)
	}
}

func TestScrapesAtOnceAgree(t *testing.T) {
	server := httptest.NewServer(Handler(full))
	defer server.Close()
	defer http.DefaultClient.CloseIdleConnections()
	done := make(chan int)
	for range 4 {
		go func() {
			answer, err := http.Get(server.URL)
			if err != nil {
				done <- 0
				return
			}
			content, _ := io.ReadAll(answer.Body)
			_ = answer.Body.Close()
			done <- strings.Count(string(content), "\n"+prefix)
		}()
	}
	counts := []int{<-done, <-done, <-done, <-done}
	if slices.Min(counts) < 50 || slices.Max(counts) != slices.Min(counts) {
		t.Errorf("series: %v", counts)
	}
}

func TestTextfileIsForEveryoneAndHasNothingLive(t *testing.T) {
	path := filepath.Join(t.TempDir(), "flashback.prom")
	for range 2 { // new, and in the place of the last one
		if err := WriteTextfile(path, full()); err != nil {
			t.Fatal(err)
		}
	}
	content, _ := os.ReadFile(path)
	values, families := parse(t, content)
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o644 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if entries, _ := os.ReadDir(filepath.Dir(path)); len(entries) != 1 {
		t.Errorf("%d files are left", len(entries))
	}
	for name, f := range families {
		if !strings.HasPrefix(name, prefix) || f.GetHelp() == "" || f.GetType() == dto.MetricType_UNTYPED {
			t.Errorf("%s is in it: %v", name, f)
		}
	}
	for _, live := range []string{"lag_seconds stream=alerts", "run_in_progress", "run_started_timestamp_seconds", "next_run_timestamp_seconds job=sync"} {
		if _, shown := values[live]; shown {
			t.Errorf("%s is in it", live)
		}
	}
	if values["complete_until_timestamp_seconds stream=alerts"] != float64(before(time.Hour).Unix()) || values["runs_total job=sync status=ok"] != 10 {
		t.Errorf("got %v", values)
	}
}

func TestATextfileThatCannotBeWrittenIsAnError(t *testing.T) {
	if err := WriteTextfile(filepath.Join(t.TempDir(), "missing", "x.prom"), full()); err == nil {
		t.Error("no error")
	}
}

package run_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/flashback-sync/flashback-sync/internal/apisim"
	"github.com/flashback-sync/flashback-sync/internal/run"
	"github.com/flashback-sync/flashback-sync/internal/streams"
	"github.com/flashback-sync/flashback-sync/schema"
)

// measures are the figures of a bucket, by the API's names.
var measures = map[string]string{
	"violations": "violations", "alerts": "alerts", "blocks": "blocks",
	"severityLow": "severity_low", "severityMedium": "severity_medium", "severityHigh": "severity_high",
	"policyTokensIn": "policy_tokens_in", "policyTokensOut": "policy_tokens_out",
}

// figures asks the simulator for a series, as rows of policy_stats, by key. The
// first bucket may be cut off: whole tells which hold all of their time.
func (w *world) figures(parameters map[string]string) (want map[string]fields, whole map[string]bool) {
	w.t.Helper()
	values := url.Values{}
	for name, value := range parameters {
		values.Set(name, value)
	}
	request, _ := http.NewRequestWithContext(context.Background(), http.MethodGet, w.url+"/v2/stats/policies?"+values.Encode(), nil)
	request.Header.Set("Authorization", "Bearer any")
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Do(request)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	body, _ := io.ReadAll(answer.Body)
	var raw struct {
		Meta   struct{ Start, End int64 }
		Series []map[string]any
	}
	decoder := json.NewDecoder(strings.NewReader(string(body)))
	decoder.UseNumber()
	if err := decoder.Decode(&raw); err != nil || answer.StatusCode != http.StatusOK {
		w.t.Fatalf("%d, %v: %.200s", answer.StatusCode, err, body)
	}
	length := map[string]int64{"1h": 3600, "6h": 21600, "1d": 86400}[parameters["timeBucketSize"]]
	want, whole = map[string]fields{}, map[string]bool{}
	for _, point := range raw.Series {
		ts, _ := point["ts"].(json.Number).Int64()
		row := fields{
			"scope": parameters["scope"], "bucket_size": parameters["timeBucketSize"],
			"bucket_start": strconv.FormatInt(ts*1e6, 10),
			"closed":       strconv.FormatBool(ts >= raw.Meta.Start && ts+length <= raw.Meta.End),
		}
		for api, column := range measures {
			row[column] = point[api].(json.Number).String()
		}
		for parameter, column := range map[string]string{"id": "scope_id", "ruleId": "rule_id", "apiKeyId": "api_key_id"} {
			if value := parameters[parameter]; value != "" {
				row[column] = value
			}
		}
		if entity, ok := point["entityId"]; ok {
			row["extra"] = fmt.Sprintf(`{"entityId":%q}`, entity)
		}
		key := keyOf(schema.PolicyStats(), row)
		want[key], whole[key] = row, ts >= raw.Meta.Start
	}
	return want, whole
}

func (w *world) windows() []string {
	var asked []string
	for _, r := range w.requests(apisim.PolicyStats) {
		asked = append(asked, r.Query.Get("window"))
	}
	slices.Sort(asked)
	return asked
}

// statistics are the rows stored, without what the loader adds.
func (w *world) statistics() map[string]fields {
	w.t.Helper()
	stored := w.warehouse(schema.PolicyStats())
	differ(w.t, "policy_stats of the lake", stored, w.lake(schema.PolicyStats()))
	for key, row := range stored {
		stored[key] = row.source()
	}
	return stored
}

func TestStatisticsEqualTheSource(t *testing.T) {
	t.Parallel()
	w := newWorld(t, small())
	org := w.sim.Organisation()
	rule, apiKey := org.Policies[0].RuleIDs[0], org.APIKeys[0].ID
	o := w.options(policyStats)
	o.Stats.RuleIDs, o.Stats.APIKeyIDs = []string{rule}, []string{apiKey}
	o.Stats.Scopes = []streams.Scope{{Scope: "org"}, {Scope: "workspace", IDs: []string{org.Workspaces[0].ID}}, {Scope: "repo", IDs: []string{org.Repos[0].ID}}}
	summary := w.mustSync(o)
	want := map[string]fields{}
	for _, scope := range []map[string]string{{"scope": "org"}, {"scope": "workspace", "id": org.Workspaces[0].ID}, {"scope": "repo", "id": org.Repos[0].ID}} {
		for _, narrowed := range []map[string]string{{}, {"ruleId": rule}, {"apiKeyId": apiKey}} {
			parameters := map[string]string{"window": "7d", "timeBucketSize": "1h"}
			for _, more := range []map[string]string{scope, narrowed} {
				for name, value := range more {
					parameters[name] = value
				}
			}
			rows, _ := w.figures(parameters)
			for key, row := range rows {
				want[key] = row
			}
		}
	}
	got := w.statistics()
	differ(t, "policy_stats", want, got)
	if r := summary.Streams[policyStats]; r.Requests != 9 || r.Inserted != int64(len(want)) {
		t.Errorf("%+v, want 9 requests and %d rows", *r, len(want))
	}
	if got := w.published(`SELECT count(*) || ' ' || count(DISTINCT (scope, scope_id, rule_id, api_key_id)) || ' ' || bool_and(total >= 0 AND std_dev IS NOT NULL AND "window" = '7d')
		FROM policy_stats_summary`); got != "9 9 true" {
		t.Errorf("summaries: %s", got)
	}
}

func TestTheWindowReachesAsFarAsNeeded(t *testing.T) {
	t.Parallel()
	w := newWorld(t, small())
	o := w.options(policyStats)
	o.Stats.Bucket = "6h"
	for _, step := range []struct {
		pass time.Duration
		want string
	}{
		{0, "7d"}, // to the start, five days back
		{time.Hour, "24h"},
		{22 * time.Hour, "24h"},
		{3 * day, "7d"},
		{20 * day, "30d"},
		{300 * day, "365d"},
	} {
		w.sim.Advance(step.pass)
		w.sim.ResetRequests()
		w.mustSync(o)
		if got := w.windows(); len(got) != 1 || got[0] != step.want {
			t.Errorf("after %v: asked for %v, want %s", step.pass, got, step.want)
		}
	}
	if got := w.published("SELECT count(*) || ' ' || count(DISTINCT status) FROM sync_coverage"); got != "1 1" {
		t.Errorf("coverage: %s", got)
	}
	want, whole := w.figures(map[string]string{"scope": "org", "window": "365d", "timeBucketSize": "6h"})
	got := w.statistics()
	for key := range want {
		if !whole[key] {
			delete(want, key)
		}
	}
	for key := range got {
		if want[key] == nil {
			delete(got, key) // older than the window
		}
	}
	differ(t, "policy_stats", want, got)
}

func TestAnOpenBucketIsReplacedAndAClosedOneKept(t *testing.T) {
	t.Parallel()
	w := newWorld(t, small())
	o := w.options(policyStats)
	o.Stats.Bucket = "6h"
	w.mustSync(o)
	open := unix(noon.Truncate(6 * time.Hour))
	key := "org||||6h|" + open
	if row := w.statistics()[key]; row == nil || row["closed"] != "false" {
		t.Fatalf("the bucket of now: %v", row)
	}
	for range 5 { // into the bucket, to its end, and on until it is cut off by the window's start
		w.sim.Advance(5*time.Hour + 17*time.Minute)
		w.mustSync(o)
	}
	want, _ := w.figures(map[string]string{"scope": "org", "window": "365d", "timeBucketSize": "6h"})
	got := w.statistics()
	since := unix(w.start)
	for key, row := range want {
		if row["bucket_start"] < since {
			delete(want, key)
		}
	}
	for key, row := range got {
		if row["bucket_start"] < since { // the first window began before the start
			delete(got, key)
		}
	}
	differ(t, "policy_stats", want, got)
	if got[key]["closed"] != "true" {
		t.Errorf("the bucket that was open: %v", got[key])
	}
}

func TestAGapThatCannotBeFilledIsReportedOnce(t *testing.T) {
	t.Parallel()
	w := synced(t, small(), policyStats)
	o := w.options(policyStats)
	w.sim.Advance(400 * day)
	summary, err := w.sync(context.Background(), o)
	r := summary.Streams[policyStats]
	if err != nil || !errors.Is(r.Err, run.ErrIncomplete) || r.Complete || summary.Status != "partial" {
		t.Fatalf("%v, %s, %+v", err, summary.Status, *r)
	}
	from, to := noon.Truncate(time.Hour), w.sim.Now().Add(-365*day).Truncate(time.Hour).Add(time.Hour)
	lost := w.published("SELECT string_agg(epoch_us(from_ts) || ' ' || epoch_us(to_ts), ', ') FROM sync_coverage WHERE status = 'lost'")
	if want := unix(from) + " " + unix(to); lost != want {
		t.Errorf("lost %s, want %s", lost, want)
	}
	w.sim.Advance(time.Hour)
	w.mustSync(o)
	w.mustSync(o)
}

func TestWhatLayBeyondReachWhenASeriesWasFirstReadIsNotLost(t *testing.T) {
	t.Parallel()
	w := newWorld(t, small())
	o := w.options(policyStats)
	o.Stats.Start = noon.AddDate(-2, 0, 0)
	w.mustSync(o)
	if got := w.windows(); !slices.Equal(got, []string{"365d"}) {
		t.Errorf("asked for %v", got)
	}
	o.Stats.Scopes = append(o.Stats.Scopes, streams.Scope{Scope: "repo", IDs: []string{w.sim.Organisation().Repos[0].ID, w.sim.Organisation().Repos[1].ID}}) // new series beside one that was read
	w.sim.Advance(time.Hour)
	w.mustSync(o)
	if got := w.published("SELECT count(*) FROM sync_coverage WHERE status = 'lost'"); got != "0" {
		t.Errorf("%s ranges are lost", got)
	}
	reports := 0
	for _, warning := range w.warnings {
		if strings.Contains(warning, "reaches back") {
			reports++
		}
	}
	if reports != 2 {
		t.Errorf("want one warning a run, however many series: %q", w.warnings)
	}
}

func TestARefusedWindowGivesWayToASmallerOne(t *testing.T) {
	t.Parallel()
	w := newWorld(t, small())
	m := w.sim.Semantics()
	m.MaxWindow = "30d"
	w.sim.SetSemantics(m)
	o := w.options(policyStats)
	o.Stats.Start = noon.AddDate(0, 0, -100)
	w.mustSync(o)
	if got := w.windows(); !slices.Equal(got, []string{"180d", "30d", "90d"}) {
		t.Errorf("asked for %v", got)
	}
	want, whole := w.figures(map[string]string{"scope": "org", "window": "30d", "timeBucketSize": "1h"})
	got := w.statistics()
	for key := range want {
		if !whole[key] {
			delete(want, key)
			delete(got, key)
		}
	}
	differ(t, "policy_stats", want, got)
	if got := w.published("SELECT count(*) FROM sync_coverage WHERE status = 'lost'"); got != "0" {
		t.Errorf("%s lost ranges", got)
	}
}

func TestStatisticsOfTheReposThatWereSeen(t *testing.T) {
	t.Parallel()
	w := newWorld(t, small())
	o := w.options(alerts, policyStats)
	o.Stats.Scopes = []streams.Scope{{Scope: "repo", Auto: true}}
	repos := map[string]bool{}
	for _, row := range w.sim.Alerts() {
		repos[row.RepoID] = true
	}
	w.mustSync(o)
	if asked := w.requests(apisim.PolicyStats); len(asked) != len(repos) {
		t.Errorf("%d series asked, %d repos were seen", len(asked), len(repos))
	}
	if got := w.published("SELECT count(DISTINCT scope_id) FROM policy_stats"); got != strconv.Itoa(len(repos)) {
		t.Errorf("statistics of %s repos, %d were seen", got, len(repos))
	}
}

func TestASeriesThatIsNotFound(t *testing.T) {
	t.Parallel()
	w := newWorld(t, small())
	repo := w.sim.Alerts()[0].RepoID
	gone := apisim.Fault{
		Kind: apisim.FaultStatus, Status: 404, Stream: apisim.PolicyStats, Body: `{"success":false,"message":"Repo not found"}`,
		Match: func(r *http.Request) bool { return r.URL.Query().Get("id") == repo },
	}
	w.sim.Inject(gone)
	auto := w.options(alerts, policyStats)
	auto.Stats.Scopes = []streams.Scope{{Scope: "org"}, {Scope: "repo", Auto: true}}
	w.mustSync(auto) // found by ourselves: no failure
	if told := strings.Join(w.warnings, " "); !strings.Contains(told, repo) {
		t.Errorf("warnings: %q", told)
	}
	named := w.options(policyStats)
	named.Stats.Scopes = []streams.Scope{{Scope: "org"}, {Scope: "repo", IDs: []string{repo}}}
	summary, err := w.sync(context.Background(), named)
	if r := summary.Streams[policyStats]; err != nil || !errors.Is(r.Err, run.ErrIncomplete) || r.Complete || r.Received == 0 {
		t.Errorf("%v, %+v", err, *r)
	}
}

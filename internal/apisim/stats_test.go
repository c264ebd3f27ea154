package apisim

import (
	"fmt"
	"math"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// statsAnswer is a statistics answer as a client sees it.
type statsAnswer struct {
	Meta struct {
		Start, End             int64
		Scope, Window, ScopeID string
		TimeBucketSize         string
		ResourceFilter         map[string]string
	}
	Summary struct{ Total, Avg, StdDev, Min, Max, P10, P50, P90 float64 }
	Series  []statsPoint
}

type statsPoint struct {
	TS, Violations, Alerts, Blocks            int64
	SeverityLow, SeverityMedium, SeverityHigh int64
	PolicyTokensIn, PolicyTokensOut           int64
	EntityID                                  string
}

// The series is what counting the rows one by one gives, for any request.
func TestSeriesAgreesWithRows(t *testing.T) {
	s := New(small())
	s.AddAlerts(s.NewRow(Alerts, noon.Add(time.Hour), 1)) // still to come: not counted
	row := s.NewRow(Violations, noon.Add(-time.Hour), 2)
	row.Severity, row.Block = new("HIGH"), new(true)
	s.Add(Violations, row)
	org := s.Organisation()
	home := map[string]string{}
	for _, repo := range org.Repos {
		home[repo.ID] = repo.WorkspaceID
	}
	rows, rules := map[Stream][]Row{Alerts: s.Alerts(), Violations: s.Rows(Violations)}, map[string]string{}
	for stream := range rows {
		for i := range rows[stream] {
			rules[rows[stream][i].ID] = s.world.ruleOf(rows[stream][i].PolicyID, &s.tables[stream.index()].records[i])
		}
	}
	rapid.Check(t, func(rt *rapid.T) {
		window := rapid.SampledFrom([]string{"24h", "7d", "30d"}).Draw(rt, "window")
		bucket := rapid.SampledFrom([]string{"1h", "6h", "12h", "1d"}).Draw(rt, "bucket")
		values := url.Values{"window": {window}, "timeBucketSize": {bucket}}
		scope := rapid.SampledFrom([]string{"org", "workspace", "repo"}).Draw(rt, "scope")
		values.Set("scope", scope)
		id := map[string]string{"workspace": org.Workspaces[1].ID, "repo": org.Repos[0].ID}[scope]
		rule := rapid.SampledFrom([]string{"", "", org.Policies[1].RuleIDs[0]}).Draw(rt, "rule")
		key := rapid.SampledFrom([]string{"", "", org.APIKeys[0].ID}).Draw(rt, "key")
		values.Set("id", id)
		values.Set("ruleId", rule)
		values.Set("apiKeyId", key)
		got := get[statsAnswer](t, s, "/v2/stats/policies?"+values.Encode(), 200)

		end := noon.Unix()
		want := map[int64]*statsPoint{}
		for ts := floorTo(end-windows[window], buckets[bucket]); ts <= end; ts += buckets[bucket] {
			want[ts] = &statsPoint{TS: ts, EntityID: rule}
			if rule == "" {
				want[ts].EntityID = key
			}
		}
		for _, stream := range []Stream{Alerts, Violations} {
			for _, row := range rows[stream] {
				at := row.Timestamp.Unix()
				if at < end-windows[window] || row.Timestamp.After(noon) ||
					(scope == "workspace" && home[row.RepoID] != id) || (scope == "repo" && row.RepoID != id) ||
					(key != "" && row.RepoAIAPIKeyID != key) || (rule != "" && rules[row.ID] != rule) {
					continue
				}
				countRow(want[floorTo(at, buckets[bucket])], stream, &row)
			}
		}
		if len(got.Series) != len(want) {
			rt.Fatalf("%d points, want %d", len(got.Series), len(want))
		}
		last := int64(math.MinInt64)
		for _, point := range got.Series {
			if point.TS <= last {
				rt.Fatal("series is not in order")
			}
			last = point.TS
			if point.Violations+point.Alerts > 0 && (point.PolicyTokensIn == 0 || point.PolicyTokensOut == 0) {
				rt.Fatalf("no tokens in %+v", point)
			}
			point.PolicyTokensIn, point.PolicyTokensOut = 0, 0
			if diff := cmp.Diff(*want[point.TS], point); diff != "" {
				rt.Fatalf("%v (-rows +answer):\n%s", values, diff)
			}
		}
		if got.Meta.Start != end-windows[window] || got.Meta.End != end || got.Meta.ScopeID != id {
			rt.Fatalf("meta %+v", got.Meta)
		}
	})
}

func countRow(p *statsPoint, stream Stream, row *Row) {
	if stream == Alerts {
		p.Alerts++
		return
	}
	p.Violations++
	if *row.Block {
		p.Blocks++
	}
	if row.Severity == nil {
		return
	}
	switch *row.Severity {
	case "LOW":
		p.SeverityLow++
	case "MEDIUM":
		p.SeverityMedium++
	case "HIGH":
		p.SeverityHigh++
	}
}

// The last bucket grows as time goes on, the first shrinks, and what was partial
// at either end is whole in between.
func TestFirstAndLastBucketArePartial(t *testing.T) {
	options := small()
	options.AlertsPerDay = 5000
	s := New(options)
	const target = "/v2/stats/policies?scope=org&window=24h&timeBucketSize=1h"
	before := get[statsAnswer](t, s, target, 200).Series
	s.Advance(20 * time.Minute)
	after := get[statsAnswer](t, s, target, 200).Series
	last := len(before) - 1
	if len(after) != len(before) || before[0].TS != after[0].TS {
		t.Fatalf("%d and %d points", len(before), len(after))
	}
	if after[0].Alerts >= before[0].Alerts || after[last].Alerts <= before[last].Alerts {
		t.Errorf("first bucket %d then %d, last %d then %d",
			before[0].Alerts, after[0].Alerts, before[last].Alerts, after[last].Alerts)
	}
	if diff := cmp.Diff(before[1:last], after[1:last]); diff != "" {
		t.Errorf("closed buckets changed:\n%s", diff)
	}
}

func TestSummaryDescribesTheSeries(t *testing.T) {
	s := New(small())
	got := get[statsAnswer](t, s, "/v2/stats/policies?scope=org&window=7d&timeBucketSize=1h", 200)
	var counts []int64
	var sum, squares float64
	for _, point := range got.Series {
		counts = append(counts, point.Violations)
		sum += float64(point.Violations)
		squares += float64(point.Violations * point.Violations)
	}
	slices.Sort(counts)
	n := float64(len(counts))
	near := func(name string, got, want float64) {
		if math.Abs(got-want) > 1e-6 {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
	near("total", got.Summary.Total, sum)
	near("avg", got.Summary.Avg, sum/n)
	near("stdDev", got.Summary.StdDev, math.Sqrt(squares/n-sum*sum/n/n))
	near("min", got.Summary.Min, float64(counts[0]))
	near("max", got.Summary.Max, float64(counts[len(counts)-1]))
	near("p50", got.Summary.P50, float64(counts[len(counts)/2])) // 169 buckets: one is in the middle
	if got.Summary.P10 > got.Summary.P50 || got.Summary.P50 > got.Summary.P90 {
		t.Errorf("percentiles %+v", got.Summary)
	}
}

func TestPercentileInterpolates(t *testing.T) {
	for share, want := range map[float64]float64{0: 1, 0.5: 2.5, 1: 10, 0.1: 1.3} {
		if got := percentile([]int64{1, 2, 3, 10}, share); math.Abs(got-want) > 1e-9 {
			t.Errorf("percentile %v is %v, want %v", share, got, want)
		}
	}
}

func TestStatsSwitches(t *testing.T) {
	s := New(Options{Now: noon})
	s.Add(Violations, s.NewRow(Violations, noon.Add(-time.Hour), 0))
	const target = "/v2/stats/policies?scope=org&timeBucketSize=1h&window="
	if n := len(get[statsAnswer](t, s, target+"24h", 200).Series); n != 25 {
		t.Errorf("%d points by the hour and day", n)
	}
	s.SetSemantics(Semantics{MaxWindow: "30d"})
	get[statsAnswer](t, s, target+"30d", 200)
	get[statsAnswer](t, s, target+"90d", 400)
}

func TestDefaultBucketSizeFollowsTheWindow(t *testing.T) {
	s := New(Options{Now: noon})
	for window, bucket := range defaultBuckets {
		got := get[statsAnswer](t, s, "/v2/stats/policies?scope=org&window="+window, 200)
		if got.Meta.TimeBucketSize != bucket || len(got.Series) > 400 {
			t.Errorf("%s: %s, %d points", window, got.Meta.TimeBucketSize, len(got.Series))
		}
	}
	body := text(t, request(t, s, fmt.Sprintf("/v2/stats/policies?scope=org&window=24h&id=%s", "org")))
	if !strings.Contains(body, `"scopeId":"org"`) {
		t.Error("scopeId is missing")
	}
}

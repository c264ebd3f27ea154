package transform_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/flashback-sync/flashback-sync/schema"
	"github.com/flashback-sync/flashback-sync/transform"
)

// response reads the example of one page of the API's reference. The page of
// GET /policy/{policyId}/alerts has none: its fields are those of the alerts. The
// one of the statistics leaves the metrics out: they are filled in by its schema.
func response(t *testing.T, page string) (r struct {
	Alerts, Violations, Series []json.RawMessage
	Summary                    json.RawMessage
	Meta                       struct{ Start, End int64 }
},
) {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("testdata", "documented", page+".json"))
	if err == nil {
		err = json.Unmarshal(content, &r)
	}
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// event is the first record of every documented list, but for what differs.
func event(t *testing.T, differing row) row {
	r := row{
		"policy_id": "policy-456", "policy_name": "PII Protection Policy", "timestamp": utc(t, "2024-01-15T10:30:00Z"),
		"conversation_id": "conv-789", "repo_id": "repo-101", "repo_name": "Customer Support Repo",
		"user_id": "user-202", "user_name": "John Doe", "repo_ai_api_key_id": "apikey-303",
		"repo_ai_api_key_name": "Production OpenAI Key", "llm_type": nil, "llm_model": nil, "host": nil, "extra": nil,
	}
	for name, value := range differing {
		r[name] = value
	}
	return r
}

func TestDocumentedAlertsFillTheirColumns(t *testing.T) {
	want := []row{
		event(t, row{
			"id": "alert-123", "message": "Potential PII detected in conversation",
			"llm_type": "OPENAI", "llm_model": "gpt-4", "host": "api.openai.com",
		}),
		event(t, row{
			"id": "alert-124", "message": "Suspicious pattern detected in AI interaction", "timestamp": utc(t, "2024-01-14T14:20:00Z"),
			"conversation_id": nil, "user_id": "user-203", "user_name": "Jane Smith",
		}),
	}
	for _, page := range []string{"get_policy_alerts", "get_policy_policyId_alerts"} {
		compare(t, schema.Alerts(), response(t, page).Alerts, want)
	}
}

func TestDocumentedViolationsFillTheirColumns(t *testing.T) {
	want := []row{
		event(t, row{
			"id": "violation-123", "explanation": "Attempted to share credit card number in AI conversation",
			"severity": nil, "block": nil,
		}),
		event(t, row{
			"id": "violation-124", "explanation": "Attempted to share social security number in AI conversation",
			"timestamp": utc(t, "2024-01-14T14:20:00Z"), "conversation_id": nil, "user_id": "user-203", "user_name": "Jane Smith",
			"severity": nil, "block": nil,
		}),
	}
	compare(t, schema.Violations(), response(t, "get_policy_policyId_violations").Violations, want)
	compare(t, schema.Violations(), response(t, "get_policy_violations").Violations, want[:1])
}

func TestViolationsAsThePublishedClientTypesThem(t *testing.T) {
	got := accept(t, schema.Violations(), alertWith(`,"severity":"HIGH","block":true,"llmType":"AWS","llmModel":"titan","host":"h"`))
	if got["severity"] != "HIGH" || got["block"] != true || got["llm_type"] != "AWS" || got["extra"] != nil {
		t.Errorf("got %v", got)
	}
}

func compare(t *testing.T, table *schema.Table, records []json.RawMessage, want []row) {
	t.Helper()
	batch := newBatch(t, table)
	for _, record := range records {
		if outcome := batch.Add(record); outcome != transform.Added {
			t.Errorf("%s: outcome %v", record, outcome)
		}
	}
	got, built := take(t, batch)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", table.Name, diff)
	}
	oldest, newest := want[len(want)-1]["timestamp"].(time.Time), want[0]["timestamp"].(time.Time)
	if !built.Oldest.Equal(oldest) || !built.Newest.Equal(newest) || built.Rows != len(want) {
		t.Errorf("%d rows from %v to %v", built.Rows, built.Oldest, built.Newest)
	}
}

func TestDocumentedStatisticsFillTheirColumns(t *testing.T) {
	answer := response(t, "get_v2_stats_policies")
	series := transform.Series{
		Scope: "org", Window: "24h", Bucket: "1h", Length: time.Hour, Reach: 24 * time.Hour,
		Start: time.Unix(answer.Meta.Start, 0), End: time.Unix(answer.Meta.End, 0),
		Now: utc(t, "2024-01-02T00:00:07Z"), FetchedAt: utc(t, "2024-01-02T00:00:08Z"),
	}
	points, summaries := newBatch(t, schema.PolicyStats()), newBatch(t, schema.PolicyStatsSummary())
	if _, whole, outcome := points.AddPoint(series, answer.Series[0]); !whole || outcome != transform.Added {
		t.Errorf("whole %v, outcome %v", whole, outcome)
	}
	if outcome := summaries.AddSummary(series, answer.Summary); outcome != transform.Added {
		t.Errorf("outcome %v", outcome)
	}
	got, _ := take(t, points)
	if diff := cmp.Diff([]row{{
		"scope": "org", "scope_id": nil, "rule_id": nil, "api_key_id": nil, "bucket_size": "1h",
		"bucket_start": utc(t, "2024-01-01T00:00:00Z"), "violations": int64(12), "alerts": int64(7), "blocks": int64(3),
		"severity_low": int64(5), "severity_medium": int64(4), "severity_high": int64(3),
		"policy_tokens_in": int64(1200), "policy_tokens_out": int64(340), "closed": true, "extra": nil,
	}}, got); diff != "" {
		t.Errorf("policy_stats (-want +got):\n%s", diff)
	}
	got, _ = take(t, summaries)
	if diff := cmp.Diff([]row{{
		"scope": "org", "scope_id": nil, "rule_id": nil, "api_key_id": nil, "window": "24h", "bucket_size": "1h",
		"start": utc(t, "2024-01-01T00:00:00Z"), "end": utc(t, "2024-01-02T00:00:00Z"),
		"total": 1500.0, "avg": 50.0, "std_dev": 10.0, "min": 0.0, "max": 100.0, "p10": 10.0, "p50": 50.0, "p90": 90.0,
		"fetched_at": utc(t, "2024-01-02T00:00:08Z"),
	}}, got); diff != "" {
		t.Errorf("policy_stats_summary (-want +got):\n%s", diff)
	}
}

package api

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/flashback-sync/flashback-sync/internal/apisim"
)

// documented is the example of the reference, without its comment.
const documented = `{"success": true,
  "meta": {"start": 1704067200, "end": 1704153600, "scope": "org", "window": "24h", "timeBucketSize": "1h"},
  "summary": {"total": 1500, "avg": 50, "stdDev": 10, "min": 0, "max": 100, "p10": 10, "p50": 50, "p90": 90},
  "series": [{"ts": 1704067200}]}`

func TestParseStatsOfTheReference(t *testing.T) {
	answer, err := parseStats([]byte(documented))
	if err != nil {
		t.Fatal(err)
	}
	if !answer.Start.Equal(time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)) || !answer.End.Equal(answer.Start.AddDate(0, 0, 1)) {
		t.Errorf("range %v to %v", answer.Start, answer.End)
	}
	if !bytes.HasPrefix(answer.Summary, []byte(`{"total": 1500`)) || len(answer.Series) != 1 || string(answer.Series[0]) != `{"ts": 1704067200}` {
		t.Errorf("summary %s, series %s", answer.Summary, answer.Series)
	}
}

func TestParseStatsOfOddInput(t *testing.T) {
	for body, series := range map[string]int{
		`{"series":[]}`:                  0,
		`{"series":[1,null,{"ts":"x"}]}`: 3,
		`{"series":[{}],"meta":null}`:    1,
		`{"series":[{}],"meta":[]}`:      1,
		`{"series":[{}],"meta":{"start":"soon","end":1.5,"x":{}},"summary":null}`: 1,
		`{"series":[1],"series":[1,2]}`:                                           2,
		"{\"series\":[\"\xff\"],\"more\":\"\xff\"}":                               1,
	} {
		answer, err := parseStats([]byte(body))
		if err != nil || len(answer.Series) != series || !answer.Start.IsZero() || !answer.End.IsZero() {
			t.Errorf("%s: %+v %v", body, answer, err)
		}
	}
	for _, body := range []string{``, `null`, `{}`, `[]`, `{"series":null}`, `{"series":{}}`, `{"series":[}`, `{"series":[]} x`, `{"success":false,"series":[]}`, `{"success":"no","series":[]}`, `{"series":[]`} {
		if answer, err := parseStats([]byte(body)); err == nil {
			t.Errorf("%s was read as %+v", body, answer)
		}
	}
}

func TestStats(t *testing.T) {
	sim := apisim.New(apisim.Options{Seed: 5, Now: noon, Days: 9, AlertsPerDay: 100, Semantics: apisim.Semantics{MaxWindow: "7d"}})
	client := dial(t, sim)
	query := StatsQuery{Endpoint: "/v2/stats/policies", Scope: "repo", ID: sim.Organisation().Repos[0].ID, Window: "7d", Bucket: "1h"}
	answer, err := client.Stats(context.Background(), query)
	if err != nil {
		t.Fatal(err)
	}
	if !answer.Now.Equal(noon) || answer.Start.IsZero() || answer.End.IsZero() || len(answer.Series) < 24*7 || len(answer.Summary) == 0 {
		t.Errorf("now %v, %v to %v, %d points", answer.Now, answer.Start, answer.End, len(answer.Series))
	}
	query.Window = "30d"
	_, err = client.Stats(context.Background(), query)
	wantKind(t, err, Refused)
	for _, request := range sim.Requests() {
		if len(request.Unknown) > 0 {
			t.Errorf("undocumented parameters %v", request.Unknown)
		}
	}
}

func FuzzParseStats(f *testing.F) {
	for _, seed := range []string{documented, `{"series":[],"meta":{"start":1}}`, `{"series":[{}],"meta":{"start":"\u0031"}}`, `{`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		answer, err := parseStats(body)
		if err != nil {
			return
		}
		rest := body
		for _, record := range answer.Series {
			if len(record) == 0 || !bytes.Contains(rest, record) {
				t.Fatalf("record %q is not in the body", record)
			}
		}
		if !bytes.Contains(body, answer.Summary) {
			t.Fatalf("summary %q is not in the body", answer.Summary)
		}
	})
}

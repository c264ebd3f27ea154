package transform_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/flashback-sync/flashback-sync/schema"
	"github.com/flashback-sync/flashback-sync/transform"
)

// hourly is an answer for the last day whose meta says nothing of its range.
func hourly(t testing.TB) transform.Series {
	return transform.Series{
		Scope: "repo", ScopeID: "repo-1", Window: "24h", Bucket: "1h", Length: time.Hour, Reach: 24 * time.Hour,
		Now: utc(t, "2024-01-02T10:30:00Z"), FetchedAt: utc(t, "2024-01-02T10:30:01Z"),
	}
}

// point adds one good point and returns its row.
func point(t testing.TB, fields string) row {
	t.Helper()
	batch := newBatch(t, schema.PolicyStats())
	_, _, outcome := batch.AddPoint(hourly(t), []byte(`{"ts":1704067200,`+fields+`}`))
	rows, built := take(t, batch)
	if outcome != transform.Added {
		t.Fatalf("%s: outcome %v, rejects %v", fields, outcome, built.Rejects)
	}
	return rows[0]
}

func TestOnlyWholeBucketsAreClosed(t *testing.T) {
	for name, c := range map[string]struct {
		start, end string // of the meta
		ts         string
		bucket     string
		whole      bool
	}{
		"no meta: cut off at the window's reach":  {"", "", "2024-01-01T10:00:00Z", "2024-01-01T10:00:00Z", false},
		"no meta: the first whole one":            {"", "", "2024-01-01T11:00:00Z", "2024-01-01T11:00:00Z", true},
		"no meta: the last whole one":             {"", "", "2024-01-02T09:00:00Z", "2024-01-02T09:00:00Z", true},
		"no meta: still open":                     {"", "", "2024-01-02T10:00:00Z", "2024-01-02T10:00:00Z", false},
		"no meta: in the future":                  {"", "", "2024-01-03T00:00:00Z", "2024-01-03T00:00:00Z", false},
		"range begins inside the bucket":          {"2024-01-01T10:30:00Z", "2024-01-02T10:30:00Z", "2024-01-01T10:00:00Z", "2024-01-01T10:00:00Z", false},
		"dated by the range's start":              {"2024-01-01T10:30:00Z", "2024-01-02T10:30:00Z", "2024-01-01T10:30:00Z", "2024-01-01T10:00:00Z", false},
		"range ends inside the bucket":            {"2024-01-01T10:30:00Z", "2024-01-02T09:45:00Z", "2024-01-02T09:00:00Z", "2024-01-02T09:00:00Z", false},
		"range ends with the bucket":              {"2024-01-01T10:30:00Z", "2024-01-02T10:00:00Z", "2024-01-02T09:00:00Z", "2024-01-02T09:00:00Z", true},
		"rounded outwards: first bucket in doubt": {"2024-01-01T10:00:00Z", "2024-01-02T11:00:00Z", "2024-01-01T10:00:00Z", "2024-01-01T10:00:00Z", false},
		"rounded outwards: the end is still open": {"2024-01-01T10:00:00Z", "2024-01-02T11:00:00Z", "2024-01-02T10:00:00Z", "2024-01-02T10:00:00Z", false},
		"rounded inwards: first bucket whole":     {"2024-01-01T11:00:00Z", "2024-01-02T10:00:00Z", "2024-01-01T11:00:00Z", "2024-01-01T11:00:00Z", true},
		"before the range":                        {"2024-01-01T11:00:00Z", "2024-01-02T10:00:00Z", "2024-01-01T09:00:00Z", "2024-01-01T09:00:00Z", false},
		"unaligned inside the range":              {"2024-01-01T10:30:00Z", "2024-01-02T10:30:00Z", "2024-01-01T15:07:42Z", "2024-01-01T15:00:00Z", false},
		"only the end is known":                   {"", "2024-01-02T10:00:00Z", "2024-01-01T10:00:00Z", "2024-01-01T10:00:00Z", true},
	} {
		t.Run(name, func(t *testing.T) {
			s := hourly(t)
			if c.start != "" {
				s.Start = utc(t, c.start)
			}
			if c.end != "" {
				s.End = utc(t, c.end)
			}
			batch := newBatch(t, schema.PolicyStats())
			start, whole, outcome := batch.AddPoint(s, fmt.Appendf(nil, `{"alerts":1,"ts":%d}`, utc(t, c.ts).Unix()))
			rows, _ := take(t, batch)
			if outcome != transform.Added || whole != c.whole || !start.Equal(utc(t, c.bucket)) {
				t.Fatalf("outcome %v, whole %v, start %v", outcome, whole, start)
			}
			if rows[0]["closed"] != c.whole || rows[0]["bucket_start"] != utc(t, c.bucket) {
				t.Errorf("row %v", rows[0])
			}
		})
	}
}

func TestBucketsOfEveryLengthStartOnTheirGrid(t *testing.T) {
	ts := utc(t, "2024-02-29T17:53:21Z")
	for length, want := range map[time.Duration]string{
		5 * time.Minute: "2024-02-29T17:50:00Z", 10 * time.Minute: "2024-02-29T17:50:00Z", time.Hour: "2024-02-29T17:00:00Z",
		6 * time.Hour: "2024-02-29T12:00:00Z", 12 * time.Hour: "2024-02-29T12:00:00Z", 24 * time.Hour: "2024-02-29T00:00:00Z",
	} {
		s := hourly(t)
		s.Length = length
		batch := newBatch(t, schema.PolicyStats())
		if start, _, _ := batch.AddPoint(s, fmt.Appendf(nil, `{"ts":%d}`, ts.Unix())); !start.Equal(utc(t, want)) {
			t.Errorf("%v: %v, want %s", length, start, want)
		}
	}
}

func TestPointsThatCannotBeDated(t *testing.T) {
	for record, want := range map[string]string{
		`{"alerts":1}`:                      "ts is missing",
		`{"ts":null}`:                       "ts is null, not an integer",
		`{"ts":"1704067200"}`:               "ts is a string, not an integer",
		`{"ts":1704067200.5}`:               "ts is not a whole number",
		`{"ts":1704067200000}`:              "ts is no time in Unix seconds", // milliseconds
		`{"ts":-1}`:                         "ts is no time in Unix seconds",
		`{"ts":1e400}`:                      "ts is beyond the range of a 64-bit integer",
		`{"ts":1704067200,"ts":1704070800}`: "ts is there twice",
		`{"ts":1704067200,"\u0074s":1}`:     "ts is there twice",
		`[1704067200,1]`:                    "not a JSON object",
		`{"ts":1704067200,"alerts":1}x`:     "unreadable JSON",
		`{"ts":1704067200,"alerts"}`:        "unreadable JSON",
		``:                                  "unreadable JSON",
	} {
		batch := newBatch(t, schema.PolicyStats())
		_, whole, outcome := batch.AddPoint(hourly(t), []byte(record))
		_, built := take(t, batch)
		if outcome != transform.Rejected || len(built.Rejects) != 1 || !strings.HasPrefix(built.Rejects[0].Reason, want) || built.Rejects[0].Raw != record {
			t.Errorf("%s: whole %v, outcome %v, rejects %v", record, whole, outcome, built.Rejects)
		}
	}
}

func TestPointsKeepUnknownFieldsButNotTs(t *testing.T) {
	got := point(t, `"entityId":"repo-1","alerts":4`)
	if got["extra"] != `{"entityId":"repo-1"}` || got["alerts"] != int64(4) || got["blocks"] != nil {
		t.Errorf("got %v", got)
	}
}

func TestNullPartsOfAKeyAreEqualAndDifferFromText(t *testing.T) {
	record := []byte(`{"ts":1704067200,"alerts":1}`)
	org := hourly(t)
	org.Scope, org.ScopeID = "org", ""
	shifted := hourly(t) // the same text, in other columns of the key
	shifted.ScopeID, shifted.RuleID = "", "repo-1"
	batch := newBatch(t, schema.PolicyStats())
	for i, step := range []struct {
		series transform.Series
		want   transform.Outcome
	}{
		{org, transform.Added}, {org, transform.Duplicate}, {hourly(t), transform.Added}, {shifted, transform.Added}, {shifted, transform.Duplicate},
	} {
		if _, _, got := batch.AddPoint(step.series, record); got != step.want {
			t.Errorf("step %d: outcome %v, want %v", i, got, step.want)
		}
	}
	if rows, _ := take(t, batch); rows[0]["scope_id"] != nil || rows[1]["scope_id"] != "repo-1" || rows[2]["rule_id"] != "repo-1" {
		t.Errorf("rows %v", rows)
	}
}

// The wider window sees the same figures, and sees the bucket whole: that is news.
func TestClosedBucketIsANewVersionOfTheOpenOne(t *testing.T) {
	record := []byte(`{"ts":1704103200,"alerts":1}`) // 2024-01-01T10:00:00Z
	wider := hourly(t)
	wider.Window, wider.Reach = "7d", 7*24*time.Hour
	batch := newBatch(t, schema.PolicyStats())
	if _, whole, outcome := batch.AddPoint(hourly(t), record); whole || outcome != transform.Added {
		t.Errorf("whole %v, outcome %v", whole, outcome)
	}
	if _, whole, outcome := batch.AddPoint(wider, record); !whole || outcome != transform.Conflict {
		t.Errorf("whole %v, outcome %v", whole, outcome)
	}
}

func TestSummaries(t *testing.T) {
	batch := newBatch(t, schema.PolicyStatsSummary())
	if outcome := batch.AddSummary(hourly(t), []byte(`{"total":1500,"avg":62.5,"stdDev":null,"min":-0.0,"max":1e3}`)); outcome != transform.Added {
		t.Fatalf("outcome %v", outcome)
	}
	rows, _ := take(t, batch)
	got := rows[0]
	if got["start"] != nil || got["end"] != nil || got["total"] != 1500.0 || got["avg"] != 62.5 || got["std_dev"] != nil || got["max"] != 1000.0 || got["p90"] != nil {
		t.Errorf("got %v", got)
	}
	for record, want := range map[string]string{
		`{"avg":1e400}`: "avg is beyond the range of a double", `{"avg":"1"}`: "avg is a string, not a number", `[]`: "not a JSON object",
	} {
		if outcome := batch.AddSummary(hourly(t), []byte(record)); outcome != transform.Rejected {
			t.Errorf("%s: outcome %v", record, outcome)
		}
		if built := batch.Build(); built.Rejects[0].Reason != want {
			t.Errorf("%s: %v", record, built.Rejects)
		}
	}
}

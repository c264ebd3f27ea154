package apisim

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"time"
)

// statsQuery is a statistics request as its parameters give it.
type statsQuery struct {
	scope, id, window, bucket string
	ruleID, keyID             string
	size                      int64 // seconds a bucket
	start, end                int64 // Unix seconds
}

const hour, day = int64(time.Hour / time.Second), 24 * int64(time.Hour/time.Second)

// The names that the API has for times, and their seconds.
var (
	windows = map[string]int64{"24h": day, "7d": 7 * day, "30d": 30 * day, "90d": 90 * day, "180d": 180 * day, "365d": 365 * day}
	buckets = map[string]int64{"5m": 300, "10m": 600, "1h": hour, "6h": 6 * hour, "12h": 12 * hour, "1d": day}

	// defaultBuckets are used, by window, when the request names no size.
	defaultBuckets = map[string]string{"24h": "1h", "7d": "6h", "30d": "12h", "90d": "1d", "180d": "1d", "365d": "1d"}
)

// parseStats returns the message of a 400 if a parameter is not as documented.
func parseStats(values url.Values, m *Semantics, now time.Time) (q statsQuery, problem string) {
	q = statsQuery{
		scope: values.Get("scope"), id: values.Get("id"), window: values.Get("window"),
		bucket: values.Get("timeBucketSize"), ruleID: values.Get("ruleId"), keyID: values.Get("apiKeyId"),
	}
	if !slices.Contains([]string{"org", "workspace", "repo"}, q.scope) {
		return q, "scope must be one of org, workspace, repo"
	}
	if q.scope != "org" && q.id == "" {
		return q, "id is required when scope is " + q.scope
	}
	length, ok := windows[q.window]
	if !ok {
		return q, "window must be one of 24h, 7d, 30d, 90d, 180d, 365d"
	}
	if longest, limited := windows[m.MaxWindow]; limited && length > longest {
		return q, "window is too large"
	}
	q.bucket = cmp.Or(q.bucket, defaultBuckets[q.window])
	if q.size, ok = buckets[q.bucket]; !ok {
		return q, "timeBucketSize must be one of 5m, 10m, 1h, 6h, 12h, 1d"
	}
	q.end = now.Unix()
	q.start = q.end - length
	return q, ""
}

// statsBody is an answer of the statistics endpoint.
type statsBody struct {
	Success bool          `json:"success"`
	Meta    statsMeta     `json:"meta"`
	Summary summary       `json:"summary"`
	Series  []seriesPoint `json:"series"`
}

type statsMeta struct {
	Start    int64     `json:"start"`
	End      int64     `json:"end"`
	Scope    string    `json:"scope"`
	Window   string    `json:"window"`
	Bucket   string    `json:"timeBucketSize"`
	ScopeID  string    `json:"scopeId,omitempty"`
	Resource *resource `json:"resourceFilter,omitempty"`
}

type resource struct {
	Type string `json:"type"`
	ID   string `json:"id"`
}

// answerStats checks a statistics request and answers it.
func (s *Sim) answerStats(r *http.Request) ([]byte, int) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	q, problem := parseStats(r.URL.Query(), &s.semantics, s.now)
	if problem != "" {
		return errorBody(PolicyStats, problem), http.StatusBadRequest
	}
	series := s.series(&q)
	meta := statsMeta{Start: q.start, End: q.end, Scope: q.scope, Window: q.window, Bucket: q.bucket, ScopeID: q.id}
	if q.ruleID != "" {
		meta.Resource = &resource{"rule", q.ruleID}
	} else if q.keyID != "" {
		meta.Resource = &resource{"apiKey", q.keyID}
	}
	return marshal(statsBody{true, meta, summarise(series), series}), http.StatusOK
}

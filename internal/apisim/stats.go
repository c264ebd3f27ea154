package apisim

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"
)

// statsQuery is a statistics request as its parameters give it.
type statsQuery struct {
	scope, id, window, bucket string
	ruleID, keyID             string
	size                      int64 // seconds a bucket
	start, end                int64 // Unix seconds
}

// span is a name the API has for a time.
type span struct {
	name    string
	seconds int64
}

const hour, day = int64(time.Hour / time.Second), 24 * int64(time.Hour/time.Second)

var (
	windows = []span{{"24h", day}, {"7d", 7 * day}, {"30d", 30 * day}, {"90d", 90 * day}, {"180d", 180 * day}, {"365d", 365 * day}}
	buckets = []span{{"5m", 300}, {"10m", 600}, {"1h", hour}, {"6h", 6 * hour}, {"12h", 12 * hour}, {"1d", day}}

	// defaultBuckets are used, by window, when the request names no size.
	defaultBuckets = map[string]string{"24h": "1h", "7d": "6h", "30d": "12h", "90d": "1d", "180d": "1d", "365d": "1d"}
)

func lookUp(spans []span, name string) (seconds int64, ok bool) {
	for _, s := range spans {
		if s.name == name {
			return s.seconds, true
		}
	}
	return 0, false
}

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
	length, ok := lookUp(windows, q.window)
	if !ok {
		return q, "window must be one of 24h, 7d, 30d, 90d, 180d, 365d"
	}
	if longest, limited := lookUp(windows, m.MaxWindow); limited && length > longest {
		return q, "window is too large"
	}
	q.bucket = orElse(q.bucket, defaultBuckets[q.window])
	if q.size, ok = lookUp(buckets, q.bucket); !ok {
		return q, "timeBucketSize must be one of 5m, 10m, 1h, 6h, 12h, 1d"
	}
	q.end = now.Unix()
	q.start = q.end - length
	if m.MaxPoints > 0 && length/q.size > int64(m.MaxPoints) {
		return q, "too many buckets for this window"
	}
	return q, ""
}

// answerStats checks a statistics request and answers it.
func (s *Sim) answerStats(b []byte, r *http.Request) ([]byte, int) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	q, problem := parseStats(r.URL.Query(), &s.semantics, s.now)
	if problem != "" {
		return appendError(b, PolicyStats, problem), http.StatusBadRequest
	}
	return s.appendStats(b, &q, s.series(&q)), http.StatusOK
}

func (s *Sim) appendStats(b []byte, q *statsQuery, points []point) []byte {
	b = append(b, `{"success":true,"meta":{"start":`...)
	b = strconv.AppendInt(b, q.start, 10)
	b = append(b, `,"end":`...)
	b = append(strconv.AppendInt(b, q.end, 10), ',')
	b = appendField(b, "scope", q.scope)
	b = appendField(b, "window", q.window)
	b = appendField(b, "timeBucketSize", q.bucket)
	if q.id != "" {
		b = appendField(b, "scopeId", q.id)
	}
	if q.ruleID != "" {
		b = appendResource(b, "rule", q.ruleID)
	} else if q.keyID != "" {
		b = appendResource(b, "apiKey", q.keyID)
	}
	b[len(b)-1] = '}'
	b = append(b, `,"summary":`...)
	b = summarise(points).appendJSON(b)
	b = append(b, `,"series":[`...)
	some := false
	for i := range points {
		if s.semantics.SparseStats && points[i].empty() {
			continue
		}
		b = append(points[i].appendJSON(b, orElse(q.ruleID, q.keyID)), ',')
		some = true
	}
	if some {
		b = b[:len(b)-1]
	}
	return append(b, "]}"...)
}

func appendResource(b []byte, kind, id string) []byte {
	b = append(b, `"resourceFilter":{`...)
	b = appendField(appendField(b, "type", kind), "id", id)
	b[len(b)-1] = '}'
	return append(b, ',')
}

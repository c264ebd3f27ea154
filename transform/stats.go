package transform

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/flashback-sync/flashback-sync/checkpoints"
)

// Series is the request that an answer of the statistics endpoint belongs to, and
// what the answer's meta says. ScopeID, RuleID and APIKeyID may be empty.
type Series struct {
	Scope, ScopeID, RuleID, APIKeyID string
	Window                           string
	Bucket                           string        // its name: 1h
	Length                           time.Duration // its length
	Reach                            time.Duration // the window's length
	Start, End                       time.Time     // of the range, by the answer's meta; zero if it says nothing
	Now                              time.Time     // the source's clock at the answer
	FetchedAt                        time.Time
}

func (s Series) given() Given {
	return Given{
		"scope": s.Scope, "scope_id": optional(s.ScopeID), "rule_id": optional(s.RuleID),
		"api_key_id": optional(s.APIKeyID), "bucket_size": s.Bucket,
	}
}

// Range is the interval of the buckets that lie completely in the answer's range. It is
// empty if there are none.
func (s Series) Range() checkpoints.Interval {
	begin, end := s.bounds()
	from := begin.Truncate(s.Length)
	if from.Before(begin) {
		from = from.Add(s.Length)
	}
	return checkpoints.Interval{From: from, To: end.Truncate(s.Length)}
}

// bounds are the first and the last instant that the answer's figures include.
// A range that is longer than its window was rounded outwards: its first bucket is
// then in doubt, and counts as cut off.
func (s Series) bounds() (begin, end time.Time) {
	end = s.Now
	if !s.End.IsZero() && s.End.Before(end) {
		end = s.End
	}
	begin = s.Start
	if reach := end.Add(-s.Reach); reach.After(begin) {
		begin = reach
	}
	return begin, end
}

func optional(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// AddPoint appends one point of a series to a batch of policy_stats. whole says
// whether the bucket was read from its start to its end: only then is it closed.
func (b *Batch) AddPoint(s Series, record []byte) (start time.Time, whole bool, outcome Outcome) {
	ts, err := pointTime(record)
	if err != nil {
		b.reject(record, err)
		return time.Time{}, false, Rejected
	}
	start = time.Unix(ts-modulo(ts, int64(s.Length/time.Second)), 0).UTC()
	whole = s.whole(start, time.Unix(ts, 0).UTC())
	given := s.given()
	given["bucket_start"], given["closed"] = start, whole
	return start, whole, b.add(record, given, map[string]bool{"ts": true})
}

// whole reports whether the answer's range includes all of the bucket. A point
// dated inside its bucket, or a range that begins inside it, is cut off.
func (s Series) whole(start, dated time.Time) bool {
	begin, end := s.bounds()
	return dated.Equal(start) && !start.Before(begin) && !start.Add(s.Length).After(end)
}

func modulo(a, b int64) int64 {
	return (a%b + b) % b
}

// AddSummary appends the summary of an answer to a batch of policy_stats_summary.
func (b *Batch) AddSummary(s Series, record []byte) Outcome {
	given := s.given()
	given["window"], given["fetched_at"] = s.Window, s.FetchedAt
	if !s.Start.IsZero() {
		given["start"] = s.Start
	}
	if !s.End.IsZero() {
		given["end"] = s.End
	}
	return b.add(record, given, nil)
}

// lastSecond is 9999-12-31T23:59:59Z in Unix seconds.
const lastSecond = 253402300799

// pointTime finds the ts of a series point: Unix seconds.
func pointTime(record []byte) (int64, error) {
	d := jsontext.NewDecoder(bytes.NewBuffer(record), jsontext.AllowDuplicateNames(true))
	if token, err := d.ReadToken(); err != nil || token.Kind() != '{' {
		return 0, unreadable(err, "not a JSON object")
	}
	var ts jsontext.Value
	for d.PeekKind() == '"' {
		name, err := d.ReadToken()
		if err != nil {
			return 0, unreadable(err, "")
		}
		dates := name.String() == "ts"
		value, err := d.ReadValue()
		switch {
		case err != nil:
			return 0, unreadable(err, "")
		case dates && ts != nil:
			return 0, twice([]byte("ts"))
		case dates:
			ts = value
		}
	}
	return unixSeconds(ts)
}

func unixSeconds(value jsontext.Value) (int64, error) {
	if value == nil {
		return 0, errors.New("ts is missing")
	}
	ts, err := integer(value)
	switch {
	case err != nil:
		return 0, fmt.Errorf("ts %w", err)
	case ts < 0 || ts > lastSecond:
		return 0, errors.New("ts is no time in Unix seconds")
	}
	return ts, nil
}

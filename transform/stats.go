package transform

import (
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

func (s Series) given() given {
	all := given{"scope": s.Scope, "bucket_size": s.Bucket}
	for column, value := range map[string]string{"scope_id": s.ScopeID, "rule_id": s.RuleID, "api_key_id": s.APIKeyID} {
		if value != "" {
			all[column] = value
		}
	}
	return all
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

// AddPoint appends one point of a series to a batch of policy_stats. whole says
// whether the bucket was read from its start to its end: only then is it closed.
func (b *Batch) AddPoint(s Series, record []byte) (start time.Time, whole bool, outcome Outcome) {
	b.decoder.points = true
	err := b.decoder.decode(record)
	var ts int64
	if err == nil {
		ts, err = unixSeconds(b.decoder.ts)
	}
	if err != nil {
		return time.Time{}, false, b.reject(record, err)
	}
	start = time.Unix(ts-ts%int64(s.Length/time.Second), 0).UTC()
	whole = s.whole(start, time.Unix(ts, 0).UTC())
	more := s.given()
	more["bucket_start"], more["closed"] = start, whole
	return start, whole, b.addDecoded(record, more)
}

// whole reports whether the answer's range includes all of the bucket. A point
// dated inside its bucket, or a range that begins inside it, is cut off.
func (s Series) whole(start, dated time.Time) bool {
	begin, end := s.bounds()
	return dated.Equal(start) && !start.Before(begin) && !start.Add(s.Length).After(end)
}

// AddSummary appends the summary of an answer to a batch of policy_stats_summary.
func (b *Batch) AddSummary(s Series, record []byte) Outcome {
	more := s.given()
	more["window"], more["fetched_at"] = s.Window, s.FetchedAt
	if !s.Start.IsZero() {
		more["start"] = s.Start
	}
	if !s.End.IsZero() {
		more["end"] = s.End
	}
	return b.add(record, more)
}

// lastSecond is 9999-12-31T23:59:59Z in Unix seconds.
const lastSecond = 253402300799

// unixSeconds reads the ts of a point.
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

package streams

import (
	"context"
	"encoding/json"
	"time"

	"github.com/flashback-sync/flashback-sync/checkpoints"
	"github.com/flashback-sync/flashback-sync/extract"
	"github.com/flashback-sync/flashback-sync/extract/api"
	"github.com/flashback-sync/flashback-sync/schema"
	"github.com/flashback-sync/flashback-sync/transform"
)

// Series is one time series of statistics. Its JSON is its filter in the coverage
// ledger. Its ids are as the privacy policy stores them.
type Series struct {
	Stream   *schema.Stream `json:"-"`
	Scope    string         `json:"scope"`
	ID       string         `json:"id,omitempty"`
	RuleID   string         `json:"rule_id,omitempty"`
	APIKeyID string         `json:"api_key_id,omitempty"`
	Bucket   string         `json:"bucket"`
	// requested are the ids as the source knows them.
	requested struct{ id, ruleID, apiKeyID string }
	// Found: it is one of a repository that only the events name.
	Found bool `json:"-"`
}

// Key is the key of the series in the coverage ledger.
func (s Series) Key() checkpoints.Key {
	b, err := json.Marshal(s)
	if err != nil { // strings always marshal
		panic(err)
	}
	return checkpoints.Key{Stream: s.Stream.Name, Filter: string(b)}
}

// Label names the series for a person.
func (s Series) Label() string {
	if s.ID == "" {
		return s.Scope
	}
	return s.Scope + " " + s.ID
}

// BucketLength is how long a bucket of the series is.
func (s Series) BucketLength() time.Duration { return bucketLengths[s.Bucket] }

// bucketLengths are the bucket sizes that the API knows.
var bucketLengths = map[string]time.Duration{
	"5m": 5 * time.Minute, "10m": 10 * time.Minute, "1h": time.Hour,
	"6h": 6 * time.Hour, "12h": 12 * time.Hour, "1d": 24 * time.Hour,
}

// hide puts the ids in their places: those to request, and those that are stored.
func (s *Series) hide(privacy *transform.Policy) {
	s.requested.id, s.requested.ruleID, s.requested.apiKeyID = s.ID, s.RuleID, s.APIKeyID
	table := s.Stream.Table
	s.ID = stored(privacy, table, "scope_id", s.ID)
	s.RuleID = stored(privacy, table, "rule_id", s.RuleID)
	s.APIKeyID = stored(privacy, table, "api_key_id", s.APIKeyID)
}

func (s Series) query(window string) api.StatsQuery {
	return api.StatsQuery{
		Endpoint: s.Stream.Endpoint,
		Scope:    s.Scope, ID: s.requested.id, Window: window, Bucket: s.Bucket, RuleID: s.requested.ruleID, APIKeyID: s.requested.apiKeyID,
	}
}

// source is what is requested of the API.
type source interface {
	Stats(ctx context.Context, q api.StatsQuery) (*api.StatsAnswer, error)
	Peek(ctx context.Context, q api.Query, since time.Time) (extract.Glimpse, error)
}

// ReadBack requests the smallest window that reaches back far enough from now, by
// the source's clock as soon as the answer gives it.
func (s Series) ReadBack(ctx context.Context, from source, now, since time.Time) (checkpoints.Window, *api.StatsAnswer, error) {
	tries := checkpoints.Reaching(now, since)
	window, answer, err := s.tryWindows(ctx, from, tries)
	if err != nil || window != tries[0] {
		return window, answer, err
	}
	if again := checkpoints.Reaching(answer.Now, since); again[0].Length > window.Length {
		return s.tryWindows(ctx, from, again)
	}
	return window, answer, nil
}

// tryWindows requests one window after the other until the source accepts one.
func (s Series) tryWindows(ctx context.Context, from source, tries []checkpoints.Window) (window checkpoints.Window, answer *api.StatsAnswer, err error) {
	for _, window = range tries {
		answer, err = from.Stats(ctx, s.query(window.Name))
		if kind, known := api.KindOf(err); !known || kind != api.Refused {
			break
		}
	}
	return window, answer, err
}

// Request describes what an answer was requested for, as its points need it.
func (s Series) Request(window checkpoints.Window, answer *api.StatsAnswer, now time.Time) transform.Series {
	return transform.Series{
		Scope: s.Scope, ScopeID: s.ID, RuleID: s.RuleID, APIKeyID: s.APIKeyID,
		Window: window.Name, Reach: window.Length, Bucket: s.Bucket, Length: s.BucketLength(),
		Start: answer.Start, End: answer.End, Now: answer.Now, FetchedAt: now.UTC(),
	}
}

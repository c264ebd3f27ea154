package run

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/flashback-sync/flashback-sync/checkpoints"
	"github.com/flashback-sync/flashback-sync/extract/api"
	"github.com/flashback-sync/flashback-sync/schema"
	"github.com/flashback-sync/flashback-sync/transform"
)

// Series is one time series of statistics. Its JSON is its filter in the coverage
// ledger.
type Series struct {
	Stream   *schema.Stream `json:"-"`
	Scope    string         `json:"scope"`
	ID       string         `json:"id,omitempty"`
	RuleID   string         `json:"rule_id,omitempty"`
	APIKeyID string         `json:"api_key_id,omitempty"`
	Bucket   string         `json:"bucket"`
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

// ledger is what planning needs to know of what is stored.
type ledger interface {
	Coverage(ctx context.Context, key checkpoints.Key, status checkpoints.Status) (checkpoints.Set, error)
	Repos(ctx context.Context) ([]string, error)
}

// Series lists the series: those that are configured, and with auto those of the other
// repositories seen in the events.
func (s Stats) Series(ctx context.Context, stored ledger) ([]Series, error) {
	all := s.configured()
	for _, scope := range s.Scopes {
		if !scope.Auto {
			continue
		}
		seen, err := stored.Repos(ctx)
		if err != nil {
			return nil, err
		}
		for _, id := range seen {
			if !slices.Contains(scope.IDs, id) {
				all = append(all, s.filtered(Series{Stream: s.Stream, Scope: scope.Scope, ID: id, Bucket: s.Bucket, Found: true})...)
			}
		}
	}
	return all, nil
}

// configured are the series that the configuration names.
func (s Stats) configured() (all []Series) {
	for _, scope := range s.Scopes {
		ids := scope.IDs
		if scope.Scope == "org" {
			ids = []string{""}
		}
		for _, id := range ids {
			all = append(all, s.filtered(Series{Stream: s.Stream, Scope: scope.Scope, ID: id, Bucket: s.Bucket})...)
		}
	}
	return all
}

// filtered are a series without a filter, and those of it by each rule and by each API key.
func (s Stats) filtered(whole Series) []Series {
	all := []Series{whole}
	for _, rule := range s.RuleIDs {
		part := whole
		part.RuleID = rule
		all = append(all, part)
	}
	for _, key := range s.APIKeyIDs {
		part := whole
		part.APIKeyID = key
		all = append(all, part)
	}
	return all
}

// Named are the smallest requests that reach every series the configuration names;
// those of repositories that only the events name are not among them.
func (s Stats) Named() (all []api.StatsQuery) {
	for _, one := range s.configured() {
		all = append(all, one.query("24h"))
	}
	return all
}

func (s Series) query(window string) api.StatsQuery {
	return api.StatsQuery{
		Endpoint: s.Stream.Endpoint,
		Scope:    s.Scope, ID: s.ID, Window: window, Bucket: s.Bucket, RuleID: s.RuleID, APIKeyID: s.APIKeyID,
	}
}

// ReadBack requests the smallest window that reaches back far enough from now, by
// the source's clock as soon as the answer gives it.
func (s Series) ReadBack(ctx context.Context, from Source, now, since time.Time) (checkpoints.Window, *api.StatsAnswer, error) {
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
func (s Series) tryWindows(ctx context.Context, from Source, tries []checkpoints.Window) (window checkpoints.Window, answer *api.StatsAnswer, err error) {
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

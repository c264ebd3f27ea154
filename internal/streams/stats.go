package streams

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/flashback-sync/flashback-sync/checkpoints"
	"github.com/flashback-sync/flashback-sync/extract"
	"github.com/flashback-sync/flashback-sync/extract/api"
	"github.com/flashback-sync/flashback-sync/schema"
	"github.com/flashback-sync/flashback-sync/transform"
)

// Stats is a stream of statistics.
type Stats struct {
	Stream    *schema.Stream
	Start     time.Time
	Bucket    string
	Scopes    []Scope
	RuleIDs   []string
	APIKeyIDs []string
}

// Scope is a level of statistics. Auto adds the repositories seen in the events.
type Scope struct {
	Scope string
	IDs   []string
	Auto  bool
}

// ledger is what planning needs to know of what is stored.
type ledger interface {
	Coverage(ctx context.Context, key checkpoints.Key, status checkpoints.Status) (checkpoints.Set, error)
	Repos(ctx context.Context, table *schema.Table) ([]string, error)
	Sealed(ctx context.Context) ([]string, error)
}

// Series lists the series: those that are configured, and with auto those of the other
// repositories seen in the events.
func (s Stats) Series(ctx context.Context, privacy *transform.Policy, stored ledger) ([]Series, error) {
	all := s.configured(privacy)
	for _, scope := range s.Scopes {
		if !scope.Auto {
			continue
		}
		seen, err := repos(ctx, privacy, stored)
		if err != nil {
			return nil, err
		}
		for _, id := range seen {
			if !slices.Contains(scope.IDs, id) {
				all = append(all, s.filtered(privacy, Series{Stream: s.Stream, Scope: scope.Scope, ID: id, Bucket: s.Bucket, Found: true})...)
			}
		}
	}
	return all, nil
}

// repos lists the repositories seen in the events, or of which statistics are stored, as the
// source knows them, sorted.
// Where the policy hides them they are stored encrypted.
func repos(ctx context.Context, privacy *transform.Policy, stored ledger) (all []string, err error) {
	for _, stream := range schema.Streams() {
		column := map[schema.Kind]string{schema.List: "repo_id", schema.Series: "scope_id"}[stream.Kind]
		if privacy.Of(stream.Table.Name, column) != schema.Keep {
			continue
		}
		seen, err := stored.Repos(ctx, stream.Table)
		if err != nil {
			return nil, err
		}
		all = append(all, seen...)
	}
	if privacy.HasKey() {
		sealed, err := stored.Sealed(ctx)
		if err != nil {
			return nil, err
		}
		for _, text := range sealed {
			id, err := privacy.Open(text)
			if err != nil {
				return nil, err
			}
			all = append(all, id)
		}
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}

// configured are the series that the configuration names.
func (s Stats) configured(privacy *transform.Policy) (all []Series) {
	for _, scope := range s.Scopes {
		ids := scope.IDs
		if scope.Scope == "org" {
			ids = []string{""}
		}
		for _, id := range ids {
			all = append(all, s.filtered(privacy, Series{Stream: s.Stream, Scope: scope.Scope, ID: id, Bucket: s.Bucket})...)
		}
	}
	return all
}

// filtered are a series without a filter, and those of it by each rule and by each API key.
// The ids are as the source knows them.
func (s Stats) filtered(privacy *transform.Policy, whole Series) []Series {
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
	for i := range all {
		all[i].hide(privacy)
	}
	return all
}

// Named are the smallest requests that reach every series the configuration names;
// those of repositories that only the events name are not among them.
func (s Stats) Named() (all []api.StatsQuery) {
	for _, one := range s.configured(nil) {
		all = append(all, one.query("24h"))
	}
	return all
}

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
		if api.KindOf(err) != api.Refused {
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

package streams

import (
	"context"
	"slices"
	"time"

	"github.com/flashback-sync/flashback-sync/checkpoints"
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

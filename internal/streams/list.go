package streams

import (
	"time"

	"github.com/flashback-sync/flashback-sync/extract/api"
	"github.com/flashback-sync/flashback-sync/schema"
	"github.com/flashback-sync/flashback-sync/transform"
)

// List is a stream of events.
type List struct {
	Query    api.Query // the filters; PolicyPath is set from Policies
	Start    time.Time
	Lookback time.Duration
	Optional bool     // a 404 of the endpoint is no failure
	Policies []string // not empty: the by-policy endpoint, once for each
}

// Name is the stream's name.
func (l List) Name() string { return l.Query.List() }

// Table is where the stream is stored.
func (l List) Table() *schema.Table { return schema.StreamByName(l.Name()).Table }

// Queries are the stream's queries: one, or one for each policy. Each has
// coverage of its own, so that a policy added later is read from the start. Errors name
// them as the privacy policy stores them.
func (l List) Queries(privacy *transform.Policy) []api.Query {
	if len(l.Policies) == 0 {
		return []api.Query{l.Query}
	}
	queries := make([]api.Query, len(l.Policies))
	for i, policy := range l.Policies {
		queries[i] = l.Query
		queries[i].PolicyPath = policy
		queries[i].Shown = hidden(privacy, queries[i]).PolicyPath
	}
	return queries
}

package streams

import (
	"encoding/json"
	"strconv"
	"time"

	"github.com/flashback-sync/flashback-sync/checkpoints"
	"github.com/flashback-sync/flashback-sync/extract/api"
	"github.com/flashback-sync/flashback-sync/load"
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

// KeyOf is the key of a query in the coverage ledger. It has ids as the policy stores them.
func KeyOf(policy *transform.Policy, q api.Query) checkpoints.Key {
	return checkpoints.Key{Stream: q.List(), Filter: hidden(policy, q).Key()}
}

// hidden is a query with the ids that the policy stores in place of those that are
// requested.
func hidden(policy *transform.Policy, q api.Query) api.Query {
	table := schema.StreamByName(q.List()).Table
	q.PolicyPath = stored(policy, table, "policy_id", q.PolicyPath)
	q.PolicyID = stored(policy, table, "policy_id", q.PolicyID)
	q.RepoID = stored(policy, table, "repo_id", q.RepoID)
	q.LLMModel = allStored(policy, table, "llm_model", q.LLMModel)
	q.Host = allStored(policy, table, "host", q.Host)
	return q
}

// stored is what the policy stores of a value.
func stored(policy *transform.Policy, table *schema.Table, column, value string) string {
	c, _ := table.Column(column)
	return policy.Value(schema.TableColumn{Table: table, Column: c}, value)
}

func allStored(policy *transform.Policy, table *schema.Table, column string, values []string) (all []string) {
	for _, value := range values {
		all = append(all, stored(policy, table, column, value))
	}
	return all
}

// KeyAgain is a key of the ledger with the ids as a policy stores them.
func KeyAgain(policy *transform.Policy, key checkpoints.Key) checkpoints.Key {
	stream := schema.StreamByName(key.Stream)
	switch {
	case stream == nil:
	case stream.Kind == schema.List:
		query := api.Query{}
		if json.Unmarshal([]byte(key.Filter), &query) == nil {
			query.Endpoint = stream.Endpoint
			return KeyOf(policy, query)
		}
	default:
		series := Series{}
		if json.Unmarshal([]byte(key.Filter), &series) == nil {
			series.Stream = stream
			series.hide(policy)
			return series.Key()
		}
	}
	return key
}

// Stored is the stored rows of the interval that a query matches. No column holds what it
// says of workspaces.
func Stored(policy *transform.Policy, q api.Query, i checkpoints.Interval) load.Range {
	q = hidden(policy, q)
	r := load.Range{Table: schema.StreamByName(q.List()).Table, Interval: i}
	limit := func(column string, values ...string) {
		if len(values) > 0 && values[0] != "" {
			r.Where = append(r.Where, load.Condition{Column: column, Values: values})
		}
	}
	limit("policy_id", q.PolicyPath)
	limit("policy_id", q.PolicyID)
	limit("repo_id", q.RepoID)
	limit("llm_type", q.LLMType...)
	limit("llm_model", q.LLMModel...)
	limit("host", q.Host...)
	limit("severity", q.Severity...)
	if q.Block != nil {
		limit("block", strconv.FormatBool(*q.Block))
	}
	return r
}

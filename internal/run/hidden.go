package run

import (
	"github.com/flashback-sync/flashback-sync/checkpoints"
	"github.com/flashback-sync/flashback-sync/extract/api"
	"github.com/flashback-sync/flashback-sync/schema"
	"github.com/flashback-sync/flashback-sync/transform"
)

// KeyOf is the key of a query in the coverage ledger. It has ids as the policy stores them.
func KeyOf(policy *transform.Policy, q api.Query) checkpoints.Key {
	return checkpoints.Key{Stream: q.List(), Filter: Hidden(policy, q).Key()}
}

// Hidden is a query with the ids that the policy stores in place of those that are
// requested. No column holds what a query says of workspaces.
func Hidden(policy *transform.Policy, q api.Query) api.Query {
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

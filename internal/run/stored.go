package run

import (
	"strconv"

	"github.com/flashback-sync/flashback-sync/checkpoints"
	"github.com/flashback-sync/flashback-sync/extract/api"
	"github.com/flashback-sync/flashback-sync/load"
	"github.com/flashback-sync/flashback-sync/schema"
)

// Stored is the stored rows of the interval that a query matches, whose ids are those of
// Hidden. No column holds what it says of workspaces.
func Stored(table *schema.Table, q api.Query, i checkpoints.Interval) load.Range {
	r := load.Range{Table: table, Interval: i}
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

package lake

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"time"
)

// Names of the tables whose rows are in the manifest itself.
const (
	QueriesName  = "queries"
	CoverageName = "coverage"
)

// Query is a query that the configuration asks for. What it lacks is "" or the zero time.
type Query struct {
	Stream     string    `json:"stream"`
	Filter     string    `json:"filter"`
	PolicyID   string    `json:"policy_id,omitempty"`
	Scope      string    `json:"scope,omitempty"`
	ScopeID    string    `json:"scope_id,omitempty"`
	RuleID     string    `json:"rule_id,omitempty"`
	APIKeyID   string    `json:"api_key_id,omitempty"`
	BucketSize string    `json:"bucket_size,omitempty"`
	Start      time.Time `json:"start_ts,omitzero"`
	CompleteTo time.Time `json:"complete_to,omitzero"`
}

// Range is a line of the coverage ledger.
type Range struct {
	Stream string    `json:"stream"`
	Filter string    `json:"filter"`
	Status string    `json:"status"`
	From   time.Time `json:"from"`
	To     time.Time `json:"to"`
}

// List is a table whose rows are in the manifest itself. A row has a text or a time for each
// column; "" and the zero time are NULL.
type List struct {
	Table

	Rows [][]any
	Hash string // SHA-256 of the rows
}

// Lists are the queries and the coverage ledger. The ledger comes last: it must not cover
// what the other tables do not have yet.
func (m *Manifest) Lists() []List {
	queries := List{Table: Table{Name: QueriesName, Comment: "The queries that the configuration asks for.", Columns: []Column{
		text("stream", "Stream: alerts, violations or policy_stats."),
		text("filter", "The query, as coverage has it: one JSON object; {} is everything."),
		text("policy_id", "Events: the policy that they are limited to; NULL if they are not."),
		text("scope", "Statistics: org, workspace or repo."),
		text("scope_id", "Statistics: the workspace or repository; NULL for the organisation."),
		text("rule_id", "Statistics: the policy rule that they are limited to; NULL if they are not."),
		text("api_key_id", "Statistics: the API key that they are limited to; NULL if they are not."),
		text("bucket_size", "Statistics: the length of a bucket."),
		instant("start_ts", "Start of what is asked for (UTC); NULL for statistics: only the source knows where they start."),
		instant("complete_to", "Up to here the query is covered without a gap (UTC); NULL if it is not from its start."),
	}}}
	for _, q := range m.Queries {
		queries.Rows = append(queries.Rows, []any{
			q.Stream, q.Filter, q.PolicyID, q.Scope, q.ScopeID, q.RuleID, q.APIKeyID, q.BucketSize, q.Start.UTC(), q.CompleteTo.UTC(),
		})
	}
	ledger := List{Table: Table{Name: CoverageName, Columns: []Column{
		text("stream", "Stream: alerts, violations or policy_stats."),
		text("filter", "The query, as one JSON object; {} is everything."),
		text("status", "covered: everything in the range is stored. lost: the source can no longer give it. expired: its rows were dropped on purpose."),
		instant("from_ts", "Start of the range (UTC, inclusive)."),
		instant("to_ts", "End of the range (UTC, exclusive)."),
	}, Comment: "Coverage ledger: the time ranges that were read and proven complete, for each stream and query."}}
	for _, r := range m.Coverage {
		ledger.Rows = append(ledger.Rows, []any{r.Stream, r.Filter, r.Status, r.From.UTC(), r.To.UTC()})
	}
	queries.sort()
	ledger.sort()
	return []List{queries, ledger}
}

func text(name, comment string) Column { return Column{Name: name, Type: "VARCHAR", Comment: comment} }

func instant(name, comment string) Column {
	return Column{Name: name, Type: "TIMESTAMPTZ", Comment: comment}
}

// sort puts the rows in a fixed order and hashes them.
func (l *List) sort() {
	slices.SortFunc(l.Rows, func(a, b []any) int { return bytes.Compare(encode(a), encode(b)) })
	sum := sha256.Sum256(encode(l.Rows))
	l.Hash = hex.EncodeToString(sum[:])
}

func encode(rows any) []byte {
	content, err := json.Marshal(rows)
	if err != nil {
		panic(err) // texts, and times that were read from JSON
	}
	return content
}

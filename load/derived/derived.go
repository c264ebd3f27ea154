// Package derived computes what is published beside the rows of the source: the queries that
// the configuration asks for, the days that are complete, and the derived tables. It also
// makes the views of schema bi.
package derived

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/flashback-sync/flashback-sync/checkpoints"
	"github.com/flashback-sync/flashback-sync/load/duckdb"
	"github.com/flashback-sync/flashback-sync/schema"
)

// Query is a query that the configuration asks for: a row of sync_queries, and of the lake's
// manifest. What it lacks is "" or the zero time.
type Query struct {
	checkpoints.Key

	PolicyID     string    `json:"policy_id,omitempty"` // of events
	Scope        string    `json:"scope,omitempty"`     // of statistics, as all up to BucketLength
	ScopeID      string    `json:"scope_id,omitempty"`
	RuleID       string    `json:"rule_id,omitempty"`
	APIKeyID     string    `json:"api_key_id,omitempty"`
	BucketLength string    `json:"bucket_size,omitempty"`
	Start        time.Time `json:"start_ts,omitzero"`
	CompleteTo   time.Time `json:"complete_to,omitzero"` // covered from the start up to here
}

// Queries reads sync_queries.
func Queries(ctx context.Context, from duckdb.Querier) ([]Query, error) {
	const never = "TIMESTAMPTZ '0001-01-01 00:00:00+00'" // Go's zero time
	return duckdb.ReadRows(ctx, from, func(q *Query) []any {
		return []any{&q.Stream, &q.Filter, &q.PolicyID, &q.Scope, &q.ScopeID, &q.RuleID, &q.APIKeyID, &q.BucketLength, &q.Start, &q.CompleteTo}
	}, `SELECT stream, "filter", coalesce(policy_id, ''), coalesce(scope, ''), coalesce(scope_id, ''), coalesce(rule_id, ''),
		coalesce(api_key_id, ''), coalesce(bucket_size, ''), coalesce(start_ts, `+never+`), coalesce(complete_to, `+never+`)
		FROM sync_queries ORDER BY stream, "filter"`)
}

// Update brings everything up to date with what the transaction sees. Rows of derived tables
// are computed again for the days whose rows, names or completeness changed, some days at a
// time; nothing else is. The queries of the streams in kept stay as they are. at is the time of
// the transaction, later than that of every row: no row of it is late.
func Update(ctx context.Context, tx *sql.Tx, queries []Query, kept []string, at time.Time) error {
	if err := replaceQueries(ctx, tx, queries, kept); err != nil {
		return err
	}
	err := duckdb.Execute(ctx, tx,
		listDueDays(),
		"CREATE OR REPLACE TEMP TABLE complete_days AS SELECT stream, day FROM bi.coverage_daily GROUP BY stream, day HAVING bool_and(status = 'complete')",
		"DELETE FROM sync_days WHERE (stream, day) NOT IN (SELECT (stream, day) FROM complete_days)",
		"INSERT INTO sync_days SELECT stream, day, "+fmt.Sprintf("make_timestamptz(%d)", at.UnixMicro())+" FROM complete_days WHERE (stream, day) NOT IN (SELECT (stream, day) FROM sync_days)",
		"DROP TABLE temp.complete_days")
	for _, table := range schema.Tables() {
		if err == nil && table.Derived != "" {
			err = deriveTable(ctx, tx, table)
		}
	}
	if err != nil {
		return err
	}
	return duckdb.Execute(ctx, tx, "DROP TABLE temp.due_days", "DROP TABLE temp.steps", "DROP TABLE IF EXISTS temp.changed_days")
}

// deriveTable replaces the rows of the days that are due, in steps.
func deriveTable(ctx context.Context, tx *sql.Tx, table *schema.Table) error {
	name, columns := schema.Ident(table.Name), duckdb.Names(table)
	names, values := columns, columns
	if c := table.PartitionColumn(); c != nil {
		names, values = names+", "+schema.Ident(c.Name), values+", "+table.PartitionValue(schema.Ident(table.Time))
	}
	var statements []string
	if table.Partition != schema.Unpartitioned {
		statements = append(
			statements,
			"INSERT INTO due_days "+schema.OutdatedDays(),
			fmt.Sprintf(`INSERT INTO internal.changed_partitions
				SELECT DISTINCT %[1]s, make_timestamptz(epoch_us(date_trunc('month', day))) AS start FROM due_days
				WHERE start NOT IN (SELECT partition_start FROM internal.changed_partitions WHERE table_name = %[1]s)`, schema.Literal(table.Name)),
		)
	}
	if err := duckdb.Execute(ctx, tx, append(statements, listSteps())...); err != nil {
		return err
	}
	steps, err := duckdb.ReadColumn[int64](ctx, tx, "SELECT DISTINCT step FROM steps ORDER BY step")
	if err != nil {
		return err
	}
	for _, step := range steps {
		err := duckdb.Execute(ctx, tx,
			fmt.Sprintf("CREATE OR REPLACE TEMP TABLE changed_days AS SELECT day FROM steps WHERE step = %d", step),
			"DELETE FROM "+name+" WHERE day IN (SELECT day FROM changed_days)",
			fmt.Sprintf("INSERT INTO %s (%s) SELECT %s FROM (%s)", name, names, values, table.Derived))
		if err != nil {
			return err
		}
	}
	return nil
}

// stepEvents is how many events a step has, but for a day that has more: grouping them needs
// memory for each, and history may be long.
const stepEvents = 100_000

// listSteps assigns the days that are due to steps.
func listSteps() string {
	var events []string
	for _, table := range lists() {
		events = append(events, fmt.Sprintf("SELECT %s AS day, 1 AS event FROM %s", table.PartitionColumn().Name, schema.Ident(table.Name)))
	}
	return fmt.Sprintf(`CREATE OR REPLACE TEMP TABLE steps AS
		SELECT day, CAST(sum(count(event)) OVER (ORDER BY day) AS BIGINT) // %d AS step
		FROM (SELECT DISTINCT day FROM due_days) LEFT JOIN (%s) USING (day) GROUP BY day`, stepEvents, strings.Join(events, " UNION ALL "))
}

func listDueDays() string {
	var tables []string
	for _, table := range lists() {
		tables = append(tables, schema.Literal(table.Name))
	}
	return "CREATE OR REPLACE TEMP TABLE due_days AS SELECT DISTINCT CAST(make_timestamp(epoch_us(partition_start)) AS DATE) AS day " +
		"FROM internal.changed_partitions WHERE table_name IN (" + strings.Join(tables, ", ") + ")"
}

// lists are the tables of the lists that are read: events.
func lists() (tables []*schema.Table) {
	for _, stream := range schema.Streams() {
		if stream.Kind == schema.List {
			tables = append(tables, stream.Table)
		}
	}
	return tables
}

func replaceQueries(ctx context.Context, tx *sql.Tx, queries []Query, kept []string) error {
	if _, err := tx.ExecContext(ctx, "DELETE FROM sync_queries WHERE NOT list_contains(string_split(?, ','), stream)", strings.Join(kept, ",")); err != nil {
		return err
	}
	for _, q := range queries {
		_, err := tx.ExecContext(ctx, `INSERT INTO sync_queries (stream, "filter", policy_id, scope, scope_id, rule_id, api_key_id, bucket_size, start_ts, complete_to)
			VALUES (?, ?, nullif(?, ''), nullif(?, ''), nullif(?, ''), nullif(?, ''), nullif(?, ''), nullif(?, ''), ?, ?)`,
			q.Stream, q.Filter, q.PolicyID, q.Scope, q.ScopeID, q.RuleID, q.APIKeyID, q.BucketLength, nullable(q.Start), nullable(q.CompleteTo))
		if err != nil {
			return err
		}
	}
	return nil
}

func nullable(t time.Time) sql.NullTime { return sql.NullTime{Time: t, Valid: !t.IsZero()} }

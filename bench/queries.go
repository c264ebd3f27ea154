package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/flashback-sync/flashback-sync/load/duckdb"
	"github.com/flashback-sync/flashback-sync/load/snapshot"
	"github.com/flashback-sync/flashback-sync/schema"
)

// benchQueries are the queries of `demo` and the README, what `status` reads, and what a
// dashboard sends all day. DAY is one in the middle of the history, USER the one with
// the fewest rows.
var benchQueries = []struct{ name, sql string }{
	{"demo: violations by policy and severity", `
		SELECT policy_name AS policy, count(*) FILTER (severity = 'HIGH') AS high, count(*) FILTER (severity = 'MEDIUM') AS medium,
			count(*) FILTER (severity = 'LOW') AS low, count(*) FILTER (block) AS blocked,
			bar(count(*), 0, max(count(*)) OVER (), 20) AS violations
		FROM violations WHERE timestamp > (SELECT max(timestamp) FROM violations) - INTERVAL 30 DAY
		GROUP BY policy_name ORDER BY count(*) DESC LIMIT 6`},
	{"demo: latest name of each repository", `
		SELECT repo_id, max_by(repo_name, timestamp) AS repo FROM alerts GROUP BY repo_id`},
	{"demo: who triggers most", `
		SELECT user_name AS user, count(*) AS alerts, count(DISTINCT repo_name) AS repos, mode(policy_name) AS mostly, mode(llm_model) AS model
		FROM alerts GROUP BY user_name ORDER BY alerts DESC LIMIT 6`},
	{"readme: count by policy and severity", `
		SELECT policy_name, severity, count(*) AS n FROM violations GROUP BY ALL ORDER BY n DESC`},
	{"status: rows and newest row", `
		SELECT (SELECT count(*) FROM alerts), (SELECT max(timestamp) FROM alerts)`},
	{"the rows of one day", `
		SELECT * FROM alerts WHERE timestamp >= TIMESTAMPTZ 'DAY' AND timestamp < TIMESTAMPTZ 'DAY' + INTERVAL 1 DAY`},
	{"a week's counts by policy", `
		SELECT policy_name, count(*) AS n FROM alerts
		WHERE timestamp >= TIMESTAMPTZ 'DAY' AND timestamp < TIMESTAMPTZ 'DAY' + INTERVAL 7 DAY GROUP BY ALL ORDER BY n DESC`},
	{"the last 100 rows", `
		SELECT * FROM alerts ORDER BY timestamp DESC LIMIT 100`},
	{"one user's rows", `
		SELECT * FROM alerts WHERE user_id = 'USER' ORDER BY timestamp DESC`},
	{"counts by day", `
		SELECT date_trunc('day', timestamp) AS day, count(*) FROM violations GROUP BY ALL ORDER BY day`},
}

// queries measures them on the published file, the best of several times each.
func (l *lab) queries(ctx context.Context) (err error) {
	s, err := l.history(ctx, l.long())
	if err != nil {
		return err
	}
	l.logf("queries")
	db, err := duckdb.Open(filepath.Join(s.dir, snapshot.Name), duckdb.Session{ReadOnly: true})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	day := s.simulator.begun.Oldest.AddDate(0, 0, s.simulator.spec.Days/2).Format("2006-01-02 15:04:05Z")
	var user string
	if err := db.QueryRowContext(ctx, "SELECT user_id FROM alerts GROUP BY user_id ORDER BY count(*), user_id LIMIT 1").Scan(&user); err != nil {
		return err
	}
	names := strings.NewReplacer("DAY'", day+"'", "'USER'", schema.Literal(user))
	total := 0.0
	for _, query := range benchQueries {
		var costs []cost
		for range 4 * l.Repeats {
			var took cost
			if err := took.time(func() error { return readAll(ctx, db, names.Replace(query.sql)) }); err != nil {
				return fmt.Errorf("%s: %w", query.name, err)
			}
			costs = append(costs, took)
		}
		best := milliseconds(leastCost(costs).Wall)
		l.report.value("queries", query.name, best, unitMillis, noGoal)
		total += best
	}
	l.report.value("queries", "all", total, unitMillis, noGoal)
	return nil
}

// readAll takes every value of an answer.
func readAll(ctx context.Context, db *sql.DB, query string) error {
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() { // the driver reads the values of each row
	}
	return rows.Err()
}

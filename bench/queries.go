package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/flashback-sync/flashback-sync/load"
	"github.com/flashback-sync/flashback-sync/load/snapshot"
	"github.com/flashback-sync/flashback-sync/schema"
)

// asked are what people ask of flashback.duckdb: the questions of `demo` and of
// the README, what `status` reads, and what a dashboard sends all day. DAY is one in
// the middle of the history, USER whoever has the fewest rows.
var asked = []struct{ name, sql string }{
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

// queries asks the published file, and one that is sorted by hand.
func (l *lab) queries(ctx context.Context) (err error) {
	s, err := l.history(ctx, l.Rows)
	if err != nil {
		return err
	}
	l.say("queries")
	published, sorted := filepath.Join(s.dir, snapshot.Name), filepath.Join(l.dir, "sorted.duckdb")
	if err := sortByHand(ctx, published, sorted); err != nil {
		return err
	}
	var files [2]*sql.DB
	for i, path := range []string{published, sorted} {
		if files[i], err = load.OpenDuckDB(path, load.Session{ReadOnly: true}); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, files[i].Close()) }()
	}
	day := s.start.AddDate(0, 0, l.daysOf(l.Rows)/2).Format("2006-01-02 15:04:05Z")
	var user string
	if err := files[0].QueryRowContext(ctx, "SELECT user_id FROM alerts GROUP BY user_id ORDER BY count(*), user_id LIMIT 1").Scan(&user); err != nil {
		return err
	}
	names := strings.NewReplacer("DAY'", day+"'", "'USER'", schema.Literal(user))
	var ours, theirs, ratios []float64
	for _, question := range asked {
		query := names.Replace(question.sql)
		took, err := interleaved(8*l.Repeats, func() error { return readAll(ctx, files[0], query) }, func() error { return readAll(ctx, files[1], query) })
		if err != nil {
			return fmt.Errorf("%s: %w", question.name, err)
		}
		ours, theirs = append(ours, milliseconds(took[0])), append(theirs, milliseconds(took[1]))
		ratios = append(ratios, took[0].Seconds()/took[1].Seconds())
	}
	worst := slices.Index(ratios, slices.Max(ratios))
	l.report.ratio("queries", "all, published / sorted by hand", sum(ours), sum(theirs), unitMillis, atMost(1.1))
	l.report.ratio("queries", "the worst: "+asked[worst].name, ours[worst], theirs[worst], unitMillis, atMost(1.1))
	for i, question := range asked {
		l.report.ratio("queries", question.name, ours[i], theirs[i], unitMillis, noGoal)
	}
	return nil
}

// sortByHand copies the tables in the order of time.
func sortByHand(ctx context.Context, from, to string) (err error) {
	db, err := sql.Open("duckdb", to)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	db.SetMaxOpenConns(1)
	if _, err := db.ExecContext(ctx, "ATTACH "+schema.Literal(from)+" AS published (READ_ONLY)"); err != nil {
		return err
	}
	for _, name := range streams {
		if _, err := db.ExecContext(ctx, fmt.Sprintf("CREATE TABLE %[1]s AS SELECT * FROM published.%[1]s ORDER BY timestamp", name)); err != nil {
			return err
		}
	}
	return nil
}

// readAll takes every value of an answer.
func readAll(ctx context.Context, db *sql.DB, query string) (err error) {
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	names, err := rows.Columns()
	if err != nil {
		return err
	}
	values, targets := make([]any, len(names)), make([]any, len(names))
	for i := range values {
		targets[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(targets...); err != nil {
			return err
		}
	}
	return rows.Err()
}

func sum(values []float64) (total float64) {
	for _, v := range values {
		total += v
	}
	return total
}

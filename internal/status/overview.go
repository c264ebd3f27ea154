package status

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/flashback-sync/flashback-sync/load/duckdb"
	"github.com/flashback-sync/flashback-sync/schema"
)

const (
	overviewDays = 90
	topNames     = 10
)

// overview reads the last days that have events; nil without any.
func (r *reader) overview(ctx context.Context, streams []Stream) (o *Overview, err error) {
	var from []*schema.Stream
	var newest time.Time
	for _, s := range streams {
		if of := schema.StreamByName(s.Name); len(s.Days) > 0 && of.Kind == schema.List {
			from = append(from, of)
			if last := s.Days[len(s.Days)-1].Date; last.After(newest) {
				newest = last
			}
		}
	}
	if len(from) == 0 {
		return nil, nil //nolint:nilnil // no events are no error
	}
	to := newest.AddDate(0, 0, 1)
	if today := nextDay(r.from.At); today.Before(to) {
		to = today
	}
	o = &Overview{From: to.AddDate(0, 0, -overviewDays), To: to}
	events := eventsOf(from, o.From, o.To)
	if o.Days, err = r.days(ctx, o, events); err != nil {
		return nil, err
	}
	if o.Policies, err = r.rank(ctx, events, "policy"); err != nil {
		return nil, err
	}
	if o.Models, err = r.rank(ctx, events, "llm_model"); err != nil || !r.from.Names {
		return o, err
	}
	o.People, err = r.rank(ctx, events, "user_name")
	return o, err
}

// eventsOf is a query of the events of all streams: the number of the day since 1970,
// whether they are rated, by severity, and who and what they are of.
func eventsOf(streams []*schema.Stream, from, to time.Time) string {
	var parts []string
	for _, stream := range streams {
		rating := "false AS rated, NULL AS severity, false AS blocked"
		if stream.Rated() {
			rating = "true AS rated, severity, coalesce(block, false) AS blocked"
		}
		parts = append(parts, fmt.Sprintf(`SELECT epoch_us(%[1]s) // 86400000000 AS day, %[2]s, coalesce(policy_name, policy_id) AS policy, llm_model, user_name
			FROM %[3]s WHERE %[4]s`, schema.Ident(stream.Table.Time), rating, stream.Table.Name, within(stream.Table.Time, from, to)))
	}
	return "(" + strings.Join(parts, " UNION ALL ") + ")"
}

// within is the condition that a time is in a range, to excluded.
func within(column string, from, to time.Time) string {
	return fmt.Sprintf("%[1]s >= TIMESTAMPTZ '%[2]s' AND %[1]s < TIMESTAMPTZ '%[3]s'", schema.Ident(column), from.Format(time.RFC3339), to.Format(time.RFC3339))
}

// days counts the events of every day, and those that are rated by severity.
func (r *reader) days(ctx context.Context, o *Overview, events string) ([]OverviewDay, error) {
	columns := func(d *OverviewDay) []any {
		return []any{&d.Date, &d.Alerts, &d.High, &d.Medium, &d.Low, &d.Unrated, &d.Blocked, &d.TokensIn, &d.TokensOut}
	}
	return duckdb.ReadRows(ctx, r.db, columns, `SELECT make_timestamp(day * 86400000000), count(*) FILTER (NOT rated),
			count(*) FILTER (severity = 'HIGH'), count(*) FILTER (severity = 'MEDIUM'), count(*) FILTER (severity = 'LOW'),
			count(*) FILTER (rated AND coalesce(severity, '') NOT IN ('HIGH', 'MEDIUM', 'LOW')), count(*) FILTER (blocked),
			coalesce(any_value(tokens_in), 0), coalesce(any_value(tokens_out), 0)
		FROM range($1, $2) d(day) LEFT JOIN `+events+` USING (day) LEFT JOIN `+r.tokens(o)+` USING (day) GROUP BY day ORDER BY day`,
		o.From.Unix()/86400, o.To.Unix()/86400)
}

// tokens is a query of those of the organisation, or of its repositories where that is not
// synced. Series of several bucket sizes count the same tokens, so a day takes the
// size that knows most of it.
func (r *reader) tokens(o *Overview) string {
	for _, stream := range schema.Streams() {
		if stream.Kind == schema.Series && r.tables[stream.Table.Name] {
			return fmt.Sprintf(`(WITH days AS (
					SELECT epoch_us(bucket_start) // 86400000000 AS day, scope, bucket_size,
						coalesce(sum(policy_tokens_in), 0)::BIGINT AS tokens_in, coalesce(sum(policy_tokens_out), 0)::BIGINT AS tokens_out
					FROM %s WHERE %s AND rule_id IS NULL AND api_key_id IS NULL AND scope IN ('org', 'repo')
					GROUP BY ALL)
				SELECT day, max(tokens_in) AS tokens_in, max(tokens_out) AS tokens_out FROM days
				WHERE scope = (SELECT min(scope) FROM days) GROUP BY day)`, // 'org' < 'repo'
				stream.Table.Name, within("bucket_start", o.From, o.To))
		}
	}
	return "(SELECT NULL::BIGINT AS day, 0 AS tokens_in, 0 AS tokens_out)"
}

// rank counts the events by a column, the most frequent first, the rest as one.
func (r *reader) rank(ctx context.Context, events, column string) ([]Ranked, error) {
	all, err := duckdb.ReadRows(ctx, r.db, (*Ranked).columns,
		`SELECT coalesce(`+column+`, '') AS name, count(*) AS n, count(*) FILTER (NOT rated), count(*) FILTER (rated), count(*) FILTER (blocked)
		FROM `+events+` GROUP BY name ORDER BY n DESC, name`)
	if len(all) <= topNames {
		return all, err
	}
	rest := Ranked{Other: true}
	for _, one := range all[topNames:] {
		rest.Count += one.Count
		rest.Alerts += one.Alerts
		rest.Violations += one.Violations
		rest.Blocked += one.Blocked
	}
	return append(all[:topNames], rest), err
}

// columns are those of a query that counts names.
func (r *Ranked) columns() []any {
	return []any{&r.Name, &r.Count, &r.Alerts, &r.Violations, &r.Blocked}
}

// nextDay is the next midnight in UTC.
func nextDay(t time.Time) time.Time {
	return t.UTC().Truncate(24*time.Hour).AddDate(0, 0, 1)
}

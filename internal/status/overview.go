package status

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/flashback-sync/flashback-sync/schema"
)

const (
	overviewDays = 90
	topNames     = 10
)

// overview reads the last days that have events; nil without any.
func (r *reader) overview(ctx context.Context, streams []Stream) (*Overview, error) {
	var from []*schema.Stream
	var newest time.Time
	for _, s := range streams {
		if of := schema.StreamByName(s.Name); len(s.Days) > 0 && of.Kind == schema.List {
			from = append(from, of)
			newest = later(newest, s.Days[len(s.Days)-1].Date)
		}
	}
	if len(from) == 0 {
		return nil, nil //nolint:nilnil // no events are no error
	}
	to := newest.AddDate(0, 0, 1)
	if today := nextDay(r.from.At); today.Before(to) {
		to = today
	}
	o := &Overview{From: to.AddDate(0, 0, -overviewDays), To: to}
	for day := o.From; day.Before(to); day = day.AddDate(0, 0, 1) {
		o.Days = append(o.Days, OverviewDay{Date: day})
	}
	all := eventsOf(from, o.From, o.To)
	if err := r.days(ctx, o, all); err != nil {
		return nil, err
	}
	for _, stream := range schema.Streams() {
		if stream.Kind == schema.Series {
			if err := r.tokens(ctx, o, stream.Table); err != nil {
				return nil, err
			}
		}
	}
	return o, r.ranks(ctx, o, all)
}

// events is a query of the events of all streams: the number of the day since 1970,
// whether they are rated, by severity, and who and what they are of.
type events struct {
	query     string
	arguments []any
}

func eventsOf(streams []*schema.Stream, from, to time.Time) (all events) {
	var parts []string
	for _, stream := range streams {
		rating := "false AS rated, NULL AS severity, false AS blocked"
		if stream.Rated() {
			rating = "true AS rated, severity, coalesce(block, false) AS blocked"
		}
		parts = append(parts, fmt.Sprintf(`SELECT epoch_us(%[1]s) // 86400000000 AS day, %[2]s, coalesce(policy_name, policy_id) AS policy, llm_model, user_name
			FROM %[3]s WHERE %[1]s >= ? AND %[1]s < ?`, quote(stream.Table.Time), rating, stream.Table.Name))
		all.arguments = append(all.arguments, from, to)
	}
	all.query = "(" + strings.Join(parts, " UNION ALL ") + ")"
	return all
}

// day finds a day of the overview by its number since 1970.
func (o *Overview) day(number int64) *OverviewDay {
	i := number - o.From.Unix()/86400
	if i < 0 || i >= int64(len(o.Days)) {
		return &OverviewDay{} // there is none: the query is bounded
	}
	return &o.Days[i]
}

// days counts the events by day, and those that are rated by severity.
func (r *reader) days(ctx context.Context, o *Overview, all events) error {
	return r.each(ctx, `SELECT day, count(*) FILTER (NOT rated),
			count(*) FILTER (severity = 'HIGH'), count(*) FILTER (severity = 'MEDIUM'), count(*) FILTER (severity = 'LOW'),
			count(*) FILTER (rated AND coalesce(severity, '') NOT IN ('HIGH', 'MEDIUM', 'LOW')), count(*) FILTER (blocked)
		FROM `+all.query+` GROUP BY day`, all.arguments, func(rows *sql.Rows) error {
		var day int64
		var d OverviewDay
		err := rows.Scan(&day, &d.Alerts, &d.High, &d.Medium, &d.Low, &d.Unrated, &d.Blocked)
		of := o.day(day)
		d.Date = of.Date
		*of = d
		return err
	})
}

// tokens are those of the organisation, or of its repositories where that is not
// synced. Series of several bucket sizes count the same tokens, so a day takes the
// size that knows most of it.
func (r *reader) tokens(ctx context.Context, o *Overview, stats *schema.Table) error {
	return r.eachOf(ctx, stats.Name, fmt.Sprintf(`WITH days AS (
			SELECT epoch_us(bucket_start) // 86400000000 AS day, scope, bucket_size,
				coalesce(sum(policy_tokens_in), 0)::BIGINT AS tokens_in, coalesce(sum(policy_tokens_out), 0)::BIGINT AS tokens_out
			FROM %s WHERE bucket_start >= ? AND bucket_start < ? AND rule_id IS NULL AND api_key_id IS NULL AND scope IN ('org', 'repo')
			GROUP BY ALL)
		SELECT day, max(tokens_in), max(tokens_out) FROM days
		WHERE scope = (SELECT min(scope) FROM days) GROUP BY day`, stats.Name), // 'org' < 'repo'
		[]any{o.From, o.To}, func(rows *sql.Rows) error {
			var day, in, out int64
			err := rows.Scan(&day, &in, &out)
			o.day(day).TokensIn, o.day(day).TokensOut = in, out
			return err
		})
}

func (r *reader) ranks(ctx context.Context, o *Overview, all events) (err error) {
	if o.Policies, err = r.rank(ctx, all, "policy"); err != nil {
		return err
	}
	if o.Models, err = r.rank(ctx, all, "llm_model"); err != nil || !r.from.Names {
		return err
	}
	o.People, err = r.rank(ctx, all, "user_name")
	return err
}

// rank counts the events by a column, the most frequent first, the rest as one.
func (r *reader) rank(ctx context.Context, all events, column string) (ranked []Ranked, err error) {
	rest := Ranked{Other: true}
	err = r.each(ctx, `SELECT coalesce(`+column+`, '') AS name, count(*) AS n, count(*) FILTER (NOT rated), count(*) FILTER (rated), count(*) FILTER (blocked)
		FROM `+all.query+` GROUP BY name ORDER BY n DESC, name`, all.arguments, func(rows *sql.Rows) error {
		var one Ranked
		err := rows.Scan(&one.Name, &one.Count, &one.Alerts, &one.Violations, &one.Blocked)
		if len(ranked) < topNames {
			ranked = append(ranked, one)
			return err
		}
		rest.Count += one.Count
		rest.Alerts += one.Alerts
		rest.Violations += one.Violations
		rest.Blocked += one.Blocked
		return err
	})
	if rest.Count > 0 {
		ranked = append(ranked, rest)
	}
	return ranked, err
}

func quote(name string) string { return schema.Ident(name) }

func literals(texts []string) string {
	quoted := make([]string, len(texts))
	for i, text := range texts {
		quoted[i] = schema.Literal(text)
	}
	return strings.Join(quoted, ", ")
}

// nextDay is the next midnight in UTC.
func nextDay(t time.Time) time.Time {
	return t.UTC().Truncate(24*time.Hour).AddDate(0, 0, 1)
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

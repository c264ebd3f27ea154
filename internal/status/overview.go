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
	var events []*schema.Stream
	var newest time.Time
	for _, s := range streams {
		if of := schema.StreamByName(s.Name); len(s.Days) > 0 && of.Kind == schema.List {
			events = append(events, of)
			newest = later(newest, s.Days[len(s.Days)-1].Date)
		}
	}
	if len(events) == 0 {
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
	for _, stream := range events {
		if err := r.days(ctx, o, stream); err != nil {
			return nil, err
		}
	}
	for _, stream := range schema.Streams() {
		if stream.Kind == schema.Series {
			if err := r.tokens(ctx, o, stream.Table); err != nil {
				return nil, err
			}
		}
	}
	return o, r.ranks(ctx, o, events)
}

// day finds a day of the overview by its number since 1970.
func (o *Overview) day(number int64) *OverviewDay {
	i := number - o.From.Unix()/86400
	if i < 0 || i >= int64(len(o.Days)) {
		return &OverviewDay{} // there is none: the query is bounded
	}
	return &o.Days[i]
}

// days counts the events of a stream by day: by severity if they have one.
func (r *reader) days(ctx context.Context, o *Overview, stream *schema.Stream) error {
	figures := "count(*), 0, 0, 0, 0, 0"
	if stream.Rated() {
		figures = `0, count(*) FILTER (severity = 'HIGH'), count(*) FILTER (severity = 'MEDIUM'), count(*) FILTER (severity = 'LOW'),
			count(*) FILTER (severity IS NULL OR severity NOT IN ('HIGH', 'MEDIUM', 'LOW')), count(*) FILTER (block)`
	}
	return r.each(ctx, fmt.Sprintf(`SELECT epoch_us(%[2]s) // 86400000000 AS day, %[3]s FROM %[1]s WHERE %[2]s >= ? AND %[2]s < ? GROUP BY day`,
		stream.Table.Name, quote(stream.Table.Time), figures), []any{o.From, o.To}, func(rows *sql.Rows) error {
		var day int64
		var d OverviewDay
		err := rows.Scan(&day, &d.Alerts, &d.High, &d.Medium, &d.Low, &d.Unrated, &d.Blocked)
		o.day(day).add(d)
		return err
	})
}

func (d *OverviewDay) add(more OverviewDay) {
	d.Alerts += more.Alerts
	d.High += more.High
	d.Medium += more.Medium
	d.Low += more.Low
	d.Unrated += more.Unrated
	d.Blocked += more.Blocked
}

// tokens are those of the organisation, or of its repositories where that is not
// synced. Series of several bucket sizes count the same tokens, so a day takes the
// size that knows most of it.
func (r *reader) tokens(ctx context.Context, o *Overview, stats *schema.Table) error {
	if there, err := r.has(ctx, stats.Name); err != nil || !there {
		return err
	}
	return r.each(ctx, fmt.Sprintf(`WITH days AS (
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

func (r *reader) ranks(ctx context.Context, o *Overview, events []*schema.Stream) (err error) {
	if o.Policies, err = r.rank(ctx, o, events, "coalesce(policy_name, policy_id)"); err != nil {
		return err
	}
	if o.Models, err = r.rank(ctx, o, events, "llm_model"); err != nil || !r.from.Names {
		return err
	}
	o.People, err = r.rank(ctx, o, events, "user_name")
	return err
}

// rank counts the events by name, the most frequent first, the rest as one.
func (r *reader) rank(ctx context.Context, o *Overview, events []*schema.Stream, name string) (ranked []Ranked, err error) {
	var parts []string
	var arguments []any
	for _, stream := range events {
		violation, blocked := "false", "false"
		if stream.Rated() {
			violation, blocked = "true", "coalesce(block, false)"
		}
		parts = append(parts, fmt.Sprintf(`SELECT %s AS name, %s AS violation, %s AS blocked FROM %s WHERE %[5]s >= ? AND %[5]s < ?`,
			name, violation, blocked, stream.Table.Name, quote(stream.Table.Time)))
		arguments = append(arguments, o.From, o.To)
	}
	rest := Ranked{Other: true}
	err = r.each(ctx, `SELECT coalesce(name, ''), count(*) AS n, count(*) FILTER (NOT violation), count(*) FILTER (violation), count(*) FILTER (blocked)
		FROM (`+strings.Join(parts, " UNION ALL ")+`) GROUP BY 1 ORDER BY n DESC, 1`, arguments, func(rows *sql.Rows) error {
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

func dayOf(number int64) time.Time { return time.Unix(number*86400, 0).UTC() }

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

func pointer(t sql.NullTime) *time.Time {
	if !t.Valid {
		return nil
	}
	utc := t.Time.UTC()
	return &utc
}

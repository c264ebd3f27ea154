package query

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/flashback-sync/flashback-sync/schema"
)

// Period is a range of UTC days, both inclusive. A zero First is the first day of the
// ledger that has not expired, a zero Last is today.
type Period struct{ First, Last time.Time }

func (p Period) String() string {
	return p.First.Format(time.DateOnly) + " to " + p.Last.Format(time.DateOnly)
}

// worst is the status of several queries of a day, or several streams.
const worst = `CASE WHEN bool_and(status = 'complete') THEN 'complete' WHEN bool_and(status IN ('complete', 'open')) THEN 'open'
	ELSE max(status) FILTER (status NOT IN ('complete', 'open')) END`

// days begins a statement that reads the status of each day of the period and each
// configured stream from `days`. What the ledger does not have is missing.
func (p Period) days() string {
	return fmt.Sprintf(`WITH daily AS (SELECT stream, day, `+worst+` AS status FROM bi.coverage_daily GROUP BY ALL),
	reach AS (
		SELECT stream, coalesce(%s, min(day) FILTER (status <> 'expired'), (SELECT min(day) FROM daily WHERE status <> 'expired')) AS first, max(day) AS today, coalesce(%s, today, (SELECT max(day) FROM daily)) AS last
		FROM (SELECT DISTINCT stream FROM main.sync_queries) LEFT JOIN daily USING (stream) GROUP BY stream),
	due AS (SELECT stream, today, CAST(unnest(generate_series(first, last, INTERVAL 1 DAY)) AS DATE) AS day FROM reach),
	days AS (
		SELECT stream, day, coalesce(status, CASE WHEN day > today THEN 'open' ELSE 'missing' END) AS status
		FROM due LEFT JOIN daily USING (stream, day))
	`, literal(p.First), literal(p.Last))
}

func literal(day time.Time) string {
	if day.IsZero() {
		return "NULL::DATE"
	}
	return "DATE " + schema.Literal(day.Format(time.DateOnly))
}

// incomplete is a text that lists days that are not complete, of which there may be many.
func incomplete(most int) string {
	const all = "(list(day || ' (' || status || ')' ORDER BY day) FILTER (status <> 'complete'))"
	return fmt.Sprintf("array_to_string(%[1]s[1:%[2]d], ', ') || CASE WHEN len(%[1]s) > %[2]d THEN ', …' ELSE '' END", all, most)
}

// coverage is the statement of the sheet Coverage: a row for each configured stream.
func (p Period) coverage() string {
	return p.days() + `SELECT stream, read_up_to AS complete_up_to, min(day) AS period_from, max(day) AS period_to, count(*) AS days,
		count(*) FILTER (status <> 'complete') AS days_not_complete, ` + incomplete(500) + ` AS which, last_success_at, last_verified_at
	FROM days LEFT JOIN bi.freshness USING (stream) GROUP BY ALL ORDER BY stream`
}

// Completeness says in words whether all days of the period are complete for all
// configured streams.
func Completeness(ctx context.Context, r Request) (text string, err error) {
	err = within(ctx, r, Output{}, func(ctx context.Context, s *session) error {
		text, err = s.completeness(ctx, r.Period)
		return err
	})
	return text, err
}

// NewestDay is the newest complete day of the published file, that of 1970 without any.
func NewestDay(ctx context.Context, r Request) (day time.Time, err error) {
	err = within(ctx, r, Output{}, func(ctx context.Context, s *session) error {
		found, err := s.texts(ctx, "SELECT coalesce(max(day), DATE '1970-01-01') FROM "+schema.ViewSchema+".calendar WHERE complete")
		if err == nil {
			day, err = time.Parse(time.DateOnly, found[0][0])
		}
		return err
	})
	return day, err
}

// completeness may be about some streams only. Days at the end that were not read yet are
// no gap, unless they were asked for; nor are days at the begin that have expired of one of
// them.
func (s *session) completeness(ctx context.Context, p Period, streams ...string) (string, error) {
	if known, err := s.hasLedger(ctx); err != nil || !known {
		return "whether it is complete is unknown: the file is of a release that did not store it", err
	}
	which, of := "WHERE true", "'every configured stream'"
	if len(streams) > 0 {
		which = "WHERE stream IN ('" + strings.Join(streams, "', '") + "')"
		of = "(SELECT string_agg(DISTINCT stream, ' and ' ORDER BY stream) FROM days " + which + ")" // without what is not configured
	}
	shown := which
	if p.First.IsZero() {
		shown += " AND day > coalesce((SELECT max(day) FROM daily " + which + " AND status = 'expired'), '-infinity')"
	}
	found, err := s.texts(ctx, p.days()+`SELECT min(day), max(day), count(*), count(*) FILTER (status = 'complete'), max(day) FILTER (status = 'complete'),
		bool_and(status IN ('complete', 'open')), `+incomplete(5)+", "+of+`
		FROM (SELECT day, `+worst+" AS status FROM days "+shown+" GROUP BY day)")
	if err != nil {
		return "", err
	}
	row := found[0]
	first, last, all, complete, newest, whole, others, covered := row[0], row[1], row[2], row[3], row[4], row[5] == "true", row[6], row[7]
	switch {
	case all == "0":
		return "whether it is complete is unknown: the period has no day of a configured stream", nil
	case all == complete:
		return fmt.Sprintf("%s to %s: complete, every day of %s is covered", first, last, covered), nil
	case whole && newest != "" && p.Last.IsZero():
		return fmt.Sprintf("%s to %s: complete, every day of %s is covered; later days are open", first, newest, covered), nil
	}
	return fmt.Sprintf("%s to %s: NOT complete, %s of %s days are; the others: %s", first, last, complete, all, others), nil
}

// hasLedger reports whether the file says which days are complete. Those of former
// releases do not.
func (s *session) hasLedger(ctx context.Context) (bool, error) {
	found, err := s.texts(ctx, "SELECT 1 FROM information_schema.tables WHERE table_schema = '"+schema.ViewSchema+"' AND table_name = 'coverage_daily'")
	return len(found) > 0, err
}

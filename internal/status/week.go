package status

import (
	"context"
	"time"

	"github.com/flashback-sync/flashback-sync/load/duckdb"
)

// Week is the last complete week beside the one before it, from the views of schema bi.
// Days are UTC days. Where no week is complete it is the last one with events, of those
// that are over if there is one.
type Week struct {
	First time.Time `json:"first"` // its Monday
	Last  time.Time `json:"last"`  // its Sunday
	Since time.Time `json:"since"` // the first day that has a stored row
	// Days are those from four weeks before the week to a week after it, or to today.
	Days []WeekDay `json:"days"`
	// This and Before are the figures of the week and of the one before it.
	This   WeekFigures `json:"this"`
	Before WeekFigures `json:"before"`
	New    WeekNew     `json:"new"`
	Worse  WeekChanges `json:"worse"`  // policies with more violations than in the week before
	Silent WeekChanges `json:"silent"` // policies and repositories with events in the four weeks before, and none in the week
}

// WeekDay is what happened on a day, and whether that is proven complete.
type WeekDay struct {
	Date     time.Time `json:"date"`
	Complete bool      `json:"complete"`
	Alerts   int64     `json:"alerts"`
	High     int64     `json:"high"` // violations by severity
	Medium   int64     `json:"medium"`
	Low      int64     `json:"low"`
	Unrated  int64     `json:"unrated"`
}

// Incomplete are the days, in order, that are not proven complete.
type Incomplete struct {
	Days []time.Time `json:"incomplete_days"`
}

// Complete says that every day is proven complete.
func (i Incomplete) Complete() bool { return len(i.Days) == 0 }

// WeekFigures are counts of one week.
type WeekFigures struct {
	Incomplete
	Alerts     int64 `json:"alerts"`
	Violations int64 `json:"violations"`
	Blocked    int64 `json:"blocked"`
	High       int64 `json:"high"`  // violations of high severity
	Users      int64 `json:"users"` // with an alert or a violation
}

// WeekNew is what no event before the week names. The days are those since Week.Since.
type WeekNew struct {
	Incomplete
	Policies WeekNames `json:"policies"`
	Models   WeekNames `json:"models"`
	Hosts    WeekNames `json:"hosts"`
	Users    WeekNames `json:"users"` // without rows unless personal names are configured to be shown
}

// WeekNames are the names with the most events in the week, ten at most.
type WeekNames struct {
	Total int64    `json:"total"`
	Rows  []Ranked `json:"rows,omitempty"`
}

// WeekChanges are the largest changes, ten at most. The days are those that are compared.
type WeekChanges struct {
	Incomplete
	Total int64        `json:"total"`
	Rows  []WeekChange `json:"rows,omitempty"`
}

// WeekChange is how often something occurred. Names come from outside: treat them as
// hostile.
type WeekChange struct {
	Kind   string `json:"kind"` // policy or repository
	Name   string `json:"name"`
	Before int64  `json:"before"`
	This   int64  `json:"this"`
}

func (c *WeekChange) columns() []any { return []any{&c.Kind, &c.Name, &c.Before, &c.This} }

const weekChosen = `
	SELECT coalesce(max(week) FILTER (week_complete), max(week) FILTER (active AND week + 7 <= today), max(week) FILTER (active), max(week)), min(day)
	FROM bi.calendar LEFT JOIN (SELECT DISTINCT day, true AS active FROM bi.events_daily) USING (day), (SELECT max(day) AS today FROM bi.calendar)
	HAVING count(*) > 0`

// In these queries $1 is the Monday of the week.
const (
	weekDays = `
	SELECT d.day, coalesce(c.complete, false), coalesce(sum(events) FILTER (kind = 'alert'), 0)::BIGINT,
		coalesce(sum(events) FILTER (kind = 'violation' AND severity = 'HIGH'), 0)::BIGINT,
		coalesce(sum(events) FILTER (kind = 'violation' AND severity = 'MEDIUM'), 0)::BIGINT,
		coalesce(sum(events) FILTER (kind = 'violation' AND severity = 'LOW'), 0)::BIGINT,
		coalesce(sum(events) FILTER (kind = 'violation' AND severity NOT IN ('HIGH', 'MEDIUM', 'LOW')), 0)::BIGINT
	FROM (SELECT ($1::DATE - 28 + i::INTEGER) AS day FROM range(42) r(i)) d
	LEFT JOIN bi.calendar c USING (day) LEFT JOIN bi.events_daily e USING (day)
	WHERE d.day <= greatest((SELECT max(day) FROM bi.calendar), $1::DATE + 6) GROUP BY ALL ORDER BY d.day`

	weekFigures = `
	SELECT count(*) FILTER (kind = 'alert'), count(*) FILTER (kind = 'violation'), count(*) FILTER (blocked),
		count(*) FILTER (severity = 'HIGH'), count(DISTINCT user_id)
	FROM bi.events WHERE day BETWEEN $1::DATE AND $1::DATE + 6`

	// $2 is policy, model, user or host.
	weekNew = `
	WITH seen AS (
		SELECT 'policy' AS kind, id, name, first_seen FROM bi.policies UNION ALL
		SELECT 'model', id, name, first_seen FROM bi.models UNION ALL
		SELECT 'user', id, name, first_seen FROM bi.users UNION ALL
		SELECT 'host', host, host, min(happened_at) FROM bi.events WHERE host IS NOT NULL GROUP BY host),
	event AS (
		SELECT unnest(['policy', 'model', 'user', 'host']) AS kind, unnest([policy_id, model, user_id, host]) AS id, kind = 'violation' AS violation, blocked
		FROM bi.events WHERE day BETWEEN $1::DATE AND $1::DATE + 6)
	SELECT coalesce(name, ''), count(*) AS n, count(*) FILTER (NOT violation), count(*) FILTER (violation), count(*) FILTER (blocked)
	FROM seen JOIN event USING (kind, id) WHERE kind = $2 AND first_seen >= $1::DATE GROUP BY id, name ORDER BY n DESC, name`

	weekWorse = `
	SELECT 'policy', coalesce(policy_name, ''), coalesce(sum(events) FILTER (day < $1::DATE), 0)::BIGINT AS before, coalesce(sum(events) FILTER (day >= $1::DATE), 0)::BIGINT AS this
	FROM bi.events_daily WHERE kind = 'violation' AND day BETWEEN $1::DATE - 7 AND $1::DATE + 6
	GROUP BY policy_id, policy_name HAVING this > before ORDER BY this - before DESC, policy_name`

	weekSilent = `
	WITH event AS (
		SELECT 'policy' AS kind, policy_id AS id, policy_name AS name, day, events FROM bi.events_daily UNION ALL
		SELECT 'repository', repo_id, repo_name, day, events FROM bi.events_daily)
	SELECT kind, coalesce(name, ''), sum(events)::BIGINT AS before, 0::BIGINT
	FROM event WHERE day BETWEEN $1::DATE - 28 AND $1::DATE + 6
	GROUP BY kind, id, name HAVING max(day) < $1::DATE ORDER BY before DESC, kind, name`

	weekIncomplete = `SELECT day FROM bi.calendar WHERE NOT complete AND day <= $1::DATE + 6 ORDER BY day`
)

// week reads the week; nil without the views or without any row.
func (r *reader) week(ctx context.Context) (*Week, error) {
	if !r.tables["calendar"] {
		return nil, nil //nolint:nilnil // no week is no error
	}
	chosen, err := duckdb.ReadRows(ctx, r.db, func(w *Week) []any { return []any{&w.First, &w.Since} }, weekChosen)
	if err != nil || len(chosen) == 0 {
		return nil, err
	}
	w := &chosen[0]
	w.Last = w.First.AddDate(0, 0, 6)
	monday, before := w.First.Format(time.DateOnly), w.First.AddDate(0, 0, -7).Format(time.DateOnly)
	w.Days, err = duckdb.ReadRows(ctx, r.db, func(d *WeekDay) []any {
		return []any{&d.Date, &d.Complete, &d.Alerts, &d.High, &d.Medium, &d.Low, &d.Unrated}
	}, weekDays, monday)
	if err == nil {
		w.New.Days, err = duckdb.ReadColumn[time.Time](ctx, r.db, weekIncomplete, monday)
	}
	for figures, of := range map[*WeekFigures]string{&w.This: monday, &w.Before: before} {
		if err == nil {
			err = r.db.QueryRowContext(ctx, weekFigures, of).Scan(&figures.Alerts, &figures.Violations, &figures.Blocked, &figures.High, &figures.Users)
		}
	}
	for kind, names := range map[string]*WeekNames{"policy": &w.New.Policies, "model": &w.New.Models, "host": &w.New.Hosts, "user": &w.New.Users} {
		if err == nil {
			names.Rows, err = duckdb.ReadRows(ctx, r.db, (*Ranked).columns, weekNew, monday, kind)
			names.Total = int64(len(names.Rows))
			names.Rows = names.Rows[:min(len(names.Rows), topNames)]
		}
	}
	if !r.from.Names {
		w.New.Users.Rows = nil
	}
	for query, changes := range map[string]*WeekChanges{weekWorse: &w.Worse, weekSilent: &w.Silent} {
		if err == nil {
			changes.Rows, err = duckdb.ReadRows(ctx, r.db, (*WeekChange).columns, query, monday)
			changes.Total = int64(len(changes.Rows))
			changes.Rows = changes.Rows[:min(len(changes.Rows), topNames)]
		}
	}
	w.New.Days = append([]time.Time{}, w.New.Days...) // a list is empty in JSON, never null
	w.This.Incomplete = w.incomplete(0, 7)
	w.Before.Incomplete = w.incomplete(-7, 0)
	w.Worse.Incomplete = w.incomplete(-7, 7)
	w.Silent.Incomplete = w.incomplete(-28, 7)
	return w, err
}

// incomplete are the days from one day of the week to before another, counted from its
// Monday.
func (w *Week) incomplete(from, to int) (all Incomplete) {
	all.Days = []time.Time{}
	first, end := w.First.AddDate(0, 0, from), w.First.AddDate(0, 0, to)
	for _, d := range w.Days {
		if !d.Complete && !d.Date.Before(first) && d.Date.Before(end) {
			all.Days = append(all.Days, d.Date)
		}
	}
	return all
}

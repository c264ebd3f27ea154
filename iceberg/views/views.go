// Package views prints the views that engines without DuckDB can have over the tables: those
// of schema bi, as far as the lake has what they are made of, with the column org before them.
package views

import (
	"bytes"
	_ "embed"
	"fmt"
	"strings"
	"text/template"
)

// NULLs are compared by coalesce: Trino 476 finds no equal ones by IS NOT DISTINCT FROM where
// a join is pushed down to the table's scan.
//
//go:embed views.sql
var source string

// Dialects are the engines whose SQL is known.
var Dialects = []string{"spark", "trino"}

// dialects have what differs between the engines. Whatever the time zone of the session, a
// day is one of UTC. A number of a day counts from 1970-01-01.
var dialects = map[string]template.FuncMap{
	"spark": {
		"quoted": func(name string) string { return "`" + name + "`" },
		"micros": func(instant string) string { return "unix_micros(" + instant + ")" },
		"day": func(instant string) string {
			return "date_from_unix_date(CAST(floor(unix_micros(" + instant + ") / 86400000000) AS INT))"
		},
		"date":    func(number string) string { return "date_from_unix_date(CAST(" + number + " AS INT))" },
		"number":  func(date string) string { return "CAST(unix_date(" + date + ") AS BIGINT)" },
		"weekday": func(date string) string { return "date_format(" + date + ", 'EEEE')" },
		"days":    func(from, to string) string { return "LATERAL VIEW explode(" + sequence(from, to) + ") days AS n" },
		"earlierNames": func() string {
			return "nullif(array_join(transform(sort_array(collect_list(struct(last_seen, name)) FILTER (WHERE NOT latest), false), x -> x.name), ', '), '')"
		},
	},
	"trino": {
		"quoted": func(name string) string { return `"` + name + `"` },
		"micros": func(instant string) string {
			return "CAST(round(to_unixtime(CAST(" + instant + " AS timestamp(6) with time zone)) * 1e6) AS BIGINT)"
		},
		"day":     func(instant string) string { return "CAST(" + instant + " AT TIME ZONE 'UTC' AS DATE)" },
		"date":    func(number string) string { return "date_add('day', " + number + ", DATE '1970-01-01')" },
		"number":  func(date string) string { return "date_diff('day', DATE '1970-01-01', " + date + ")" },
		"weekday": func(date string) string { return "date_format(" + date + ", '%W')" },
		"days":    func(from, to string) string { return "CROSS JOIN UNNEST(" + sequence(from, to) + ") AS days (n)" },
		"earlierNames": func() string {
			return "array_join(array_agg(name ORDER BY last_seen DESC, name DESC) FILTER (WHERE NOT latest), ', ')"
		},
	},
}

// sequence are the numbers of the days between two instants in microseconds; none if the
// first one is later.
func sequence(from, to string) string {
	first, last := "CAST(floor("+from+" / 86400000000) AS BIGINT)", "CAST(floor(("+to+") / 86400000000) AS BIGINT)"
	return "CASE WHEN " + first + " <= " + last + " THEN sequence(" + first + ", " + last + ") END"
}

// Print renders the statements. Tables and views are named by catalog and namespace.
func Print(dialect, tables, views string) (string, error) {
	functions, known := dialects[dialect]
	if !known {
		return "", fmt.Errorf("dialect %q is not known: use %s", dialect, strings.Join(Dialects, " or "))
	}
	parsed, err := template.New("views").Funcs(functions).Funcs(template.FuncMap{
		"table": func(name string) string { return tables + "." + name },
		"view":  func(name string) string { return views + "." + name },
		"list":  func(names ...string) []string { return names },
	}).Parse(source)
	if err != nil {
		return "", err
	}
	var out bytes.Buffer
	err = parsed.Execute(&out, nil)
	return out.String(), err
}

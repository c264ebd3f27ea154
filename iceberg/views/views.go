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

//go:embed views.sql
var source string

// Dialects are the engines whose SQL is known.
var Dialects = []string{"spark", "trino"}

// Print renders the statements. Tables and views are named by catalog and namespace.
func Print(dialect, tables, views string) (string, error) {
	quote, day, names := `"`, "CAST(%s AT TIME ZONE 'UTC' AS DATE)",
		"array_join(array_agg(name ORDER BY last_seen DESC, name DESC) FILTER (WHERE NOT latest), ', ')"
	switch dialect {
	case "trino":
	case "spark":
		// Whatever the time zone of the session: a day is one of UTC.
		quote, day = "`", "date_from_unix_date(CAST(floor(unix_micros(%s) / 86400000000) AS INT))"
		names = "nullif(array_join(transform(sort_array(collect_list(struct(last_seen, name)) FILTER (WHERE NOT latest), false), x -> x.name), ', '), '')"
	default:
		return "", fmt.Errorf("dialect %q is not known: use %s", dialect, strings.Join(Dialects, " or "))
	}
	parsed, err := template.New("views").Funcs(template.FuncMap{
		"table":        func(name string) string { return tables + "." + name },
		"view":         func(name string) string { return views + "." + name },
		"day":          func(instant string) string { return fmt.Sprintf(day, instant) },
		"quoted":       func(name string) string { return quote + name + quote },
		"earlierNames": func() string { return names },
		"list":         func(names ...string) []string { return names },
	}).Parse(source)
	if err != nil {
		return "", err
	}
	var out bytes.Buffer
	err = parsed.Execute(&out, nil)
	return out.String(), err
}

package demo

import (
	"bytes"
	"context"
	"database/sql"
	"flag"
	"fmt"
	"html"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/flashback-sync/flashback-sync/extract/api"
	"github.com/flashback-sync/flashback-sync/internal/cookbook"
	"github.com/flashback-sync/flashback-sync/internal/query"
	"github.com/flashback-sync/flashback-sync/internal/run"
	"github.com/flashback-sync/flashback-sync/internal/streams"
	"github.com/flashback-sync/flashback-sync/load/duckdb"
	"github.com/flashback-sync/flashback-sync/load/snapshot"
	"github.com/flashback-sync/flashback-sync/schema"
)

var update = flag.Bool("update", false, "write docs/cookbook.md and its pictures anew")

const cookbookHead = `# Cookbook

Questions about the published data, and the SQL that answers them. Run one by its name:

    flashback-sync ask                                        # lists them
    flashback-sync ask repeat-offenders --month 2026-10
    flashback-sync ask weekly --from 2026-08-01 --to 2026-10-31 --out weekly.xlsx

Without a period it is the last 30 complete days. Every answer says whether its period is complete. To use the SQL elsewhere, replace ` + "`first_day` and `last_day`" + ` by
` + "`DATE '2026-10-01'`" + ` and so on. The views are explained in [analysts.md](analysts.md).

What the API does not give, no question can answer: how many requests there were in all, the workspace of an alert or violation, and the policies that no event names.

The results are of the organisation that ` + "`make demo`" + ` simulates, %s; names are invented. At most %d rows are shown. This file is written by
` + "`go test -tags duckdb_arrow ./internal/demo -run Cookbook -update`" + `.
`

// listed is how many rows of a result the document has, drawn how many its picture has.
const (
	listed = 6
	drawn  = 31
)

func TestTheCookbookIsCurrent(t *testing.T) {
	t.Parallel()
	db := published(t)
	period := query.Period{First: begun.Truncate(24*time.Hour).AddDate(0, 0, -29), Last: begun.Truncate(24 * time.Hour)}
	files := map[string]string{}
	var document bytes.Buffer
	fmt.Fprintf(&document, cookbookHead, period, listed)
	for _, q := range cookbook.Questions() {
		result := answer(t, db, q.In(period))
		fmt.Fprintf(&document, "\n## %s\n\n%s For: %s.\n\n```sql\n%s;\n```\n\n%s", q.Name, q.Text, q.For, q.SQL, result.table())
		if picture := result.picture(); picture != "" {
			name := "cookbook/" + q.Name + ".svg"
			files[name] = picture
			fmt.Fprintf(&document, "\n![%s](%s)\n", html.EscapeString(q.Text), name)
		}
	}
	files["cookbook.md"] = document.String()
	for name, want := range files {
		path := filepath.Join("../../docs", name)
		if *update {
			if err := os.WriteFile(path, []byte(want), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		got, err := os.ReadFile(path)
		if diff := cmp.Diff(want, string(got)); err != nil || diff != "" {
			t.Errorf("docs/%s is not current (-want +got): %v\n%s", name, err, diff)
		}
	}
	pictures, err := filepath.Glob("../../docs/cookbook/*.svg")
	if err != nil || len(pictures) != len(files)-1 || len(pictures) < 10 {
		t.Errorf("%d pictures are there, %d are drawn, %v", len(pictures), len(files)-1, err)
	}
}

// begun is the first sync of the organisation: noon of a Wednesday.
var begun = time.Date(2026, 3, 18, 12, 0, 0, 0, time.UTC)

// published is what two syncs publish, the second a day after the first.
func published(t *testing.T) *sql.DB {
	t.Helper()
	o := newOrganisation(7, 45, begun)
	url, stop := o.sim.Start()
	defer stop()
	client, err := api.New(api.Options{
		BaseURL: url, MaxConcurrency: 4, Retries: 2, Backoff: time.Millisecond, Timeout: 20 * time.Second, UserAgent: "test", Now: o.sim.Now,
		Token: func(context.Context) (string, error) { return Token, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	settings := run.Options{Version: "test", DataDir: t.TempDir(), PublishDuckDB: true, Compression: "none", Now: o.sim.Now}
	start := begun.AddDate(0, 0, -46)
	var repos []string
	for _, repo := range o.sim.Organisation().Repos {
		repos = append(repos, repo.ID)
	}
	for _, stream := range schema.Streams() {
		if stream.Kind == schema.Series {
			settings.Stats = &streams.Stats{Stream: stream, Start: start, Bucket: "1d", Scopes: []streams.Scope{{Scope: "org"}, {Scope: "repo", IDs: repos}}}
			continue
		}
		settings.Lists = append(settings.Lists, streams.List{Query: api.Query{Endpoint: stream.Endpoint}, Start: start, Lookback: 48 * time.Hour})
	}
	for n := range 2 {
		settings.RunID = fmt.Sprintf("run-%d", n)
		if _, err := run.Run(context.Background(), settings, run.NewSource(client)); err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			o.nextDay()
		}
	}
	db, err := duckdb.Open(filepath.Join(settings.DataDir, snapshot.Name), duckdb.Session{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// result is what a question gives, as text.
type result struct {
	names, types []string
	rows         [][]string
}

func answer(t *testing.T, db *sql.DB, query string) (r result) {
	t.Helper()
	rows, err := db.Query(query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer func() { _ = rows.Close() }()
	columns, err := rows.ColumnTypes()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range columns {
		r.names, r.types = append(r.names, c.Name()), append(r.types, c.DatabaseTypeName())
	}
	for rows.Next() {
		values, targets := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			targets[i] = &values[i]
		}
		if err := rows.Scan(targets...); err != nil {
			t.Fatal(err)
		}
		row := make([]string, len(values))
		for i, value := range values {
			row[i] = cell(value)
		}
		r.rows = append(r.rows, row)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return r
}

func cell(value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case time.Time:
		return strings.TrimSuffix(v.UTC().Format(time.DateTime), " 00:00:00")
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return fmt.Sprint(value)
}

func (r result) table() string {
	if len(r.rows) == 0 {
		return "No rows.\n"
	}
	var b strings.Builder
	line := func(cells []string) {
		for _, c := range cells {
			fmt.Fprintf(&b, "| %s ", strings.ReplaceAll(c, "|", "\\|"))
		}
		b.WriteString("|\n")
	}
	line(r.names)
	line(slices.Repeat([]string{"---"}, len(r.names)))
	for _, row := range r.rows[:min(listed, len(r.rows))] {
		line(row)
	}
	if more := len(r.rows) - listed; more > 0 {
		fmt.Fprintf(&b, "\n%d more.\n", more)
	}
	return b.String()
}

// picture draws the first number of each row, which its first cell names; "" if the result
// is not of that kind. Rows that are not complete are pale.
func (r result) picture() string {
	const width, label, longest, high = 720, 230, 400, 20
	number := slices.IndexFunc(r.types, func(kind string) bool { return slices.Contains([]string{"BIGINT", "HUGEINT", "DOUBLE"}, kind) })
	complete := slices.Index(r.names, "complete")
	if number < 1 || len(r.rows) < 2 || slices.Contains([]string{"happened_at", "conversation_id", "stream"}, r.names[0]) {
		return ""
	}
	rows := r.rows[:min(drawn, len(r.rows))]
	most := 0.0
	for _, row := range rows {
		n, _ := strconv.ParseFloat(row[number], 64)
		most = max(most, n)
	}
	if most <= 0 {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="sans-serif" font-size="12">`+"\n", width, high*(len(rows)+1)+8)
	fmt.Fprintf(&b, `<rect width="100%%" height="100%%" fill="#fff"/><text x="%d" y="16" fill="#555">%s</text>`+"\n", label, html.EscapeString(r.names[number]))
	for i, row := range rows {
		n, _ := strconv.ParseFloat(row[number], 64)
		y, fill, note := high*(i+1)+4, "#2f6db3", ""
		if complete >= 0 && row[complete] != "true" {
			fill, note = "#b9cfe6", ", not complete"
		}
		fmt.Fprintf(&b, `<text x="%d" y="%d" text-anchor="end">%s</text>`, label-8, y+13, html.EscapeString(short(row[0])))
		fmt.Fprintf(&b, `<rect x="%d" y="%d" width="%.1f" height="%d" fill="%s"/>`, label, y+2, longest*n/most, high-5, fill)
		fmt.Fprintf(&b, `<text x="%.1f" y="%d" fill="#555">%s%s</text>`+"\n", label+longest*n/most+6, y+13, row[number], note)
	}
	return b.String() + "</svg>\n"
}

func short(name string) string {
	if letters := []rune(name); len(letters) > 32 {
		return string(letters[:31]) + "…"
	}
	return name
}

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"github.com/flashback-sync/flashback-sync/config"
	"github.com/flashback-sync/flashback-sync/extract/api"
	"github.com/flashback-sync/flashback-sync/internal/apisim"
	"github.com/flashback-sync/flashback-sync/internal/audit"
	"github.com/flashback-sync/flashback-sync/internal/query"
	"github.com/flashback-sync/flashback-sync/internal/run"
	"github.com/flashback-sync/flashback-sync/internal/status"
	"github.com/flashback-sync/flashback-sync/load"
	"github.com/flashback-sync/flashback-sync/load/duckdb"
	"github.com/flashback-sync/flashback-sync/load/durable"
	"github.com/flashback-sync/flashback-sync/load/snapshot"
	"github.com/flashback-sync/flashback-sync/schema"
)

func (a *app) demoCommand() *cobra.Command {
	var dir string
	var seed uint64
	command := &cobra.Command{
		Use:   "demo",
		Short: "Sync a simulated organisation and query it, all on this machine",
		Long: `Starts a simulator of the API on loopback with 90 days of an organisation's life,
syncs it, lets a day pass, syncs again, has damage found and repaired, and runs
four queries on the result.
It needs no account and no network.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.demo(cmd.Context(), dir, seed) },
	}
	command.Flags().StringVar(&dir, "dir", "demo-data", "`folder` to write to; what an earlier demo left there is replaced")
	command.Flags().Uint64Var(&seed, "seed", 7, "another seed is another organisation")
	return command
}

// demoMark shows that a folder was made by a demo, and may be replaced by one.
const demoMark = ".flashback-demo"

func (a *app) demo(ctx context.Context, dir string, seed uint64) error {
	err := clearDemo(dir)
	if err != nil {
		return err
	}
	now := time.Now().UTC().Truncate(24 * time.Hour).Add(-24*time.Hour + 9*time.Hour)
	const token = "demo"
	simulated := apisim.DemoOptions(seed, now)
	simulated.Token = token
	sim := apisim.New(simulated)
	url, stop := sim.Start()
	defer stop()
	t := &task{app: a, log: a.logger(config.Log{Level: "warn", Format: "auto"})}
	client, err := api.New(api.Options{
		BaseURL: url, UserAgent: "flashback-sync/" + version + " demo", MaxConcurrency: 8, Timeout: 30 * time.Second, Retries: retries,
		Token: func(context.Context) (string, error) { return token, nil }, Observe: t.sent,
	})
	if err != nil {
		return err
	}
	defer client.Close()
	t.source = run.NewSource(client)

	a.say("1. An organisation's 90 days, on a simulated API at %s: everything is new.", url)
	if err := a.demoSync(ctx, t, dir, now); err != nil {
		return err
	}
	sim.Advance(24 * time.Hour)
	a.say("2. A day passes. The next sync reads that day and the lookback, nothing else.")
	if err := a.demoSync(ctx, t, dir, now); err != nil {
		return err
	}
	a.say("3. Someone deletes rows from the warehouse by hand. Verify finds which, repair fetches just these.")
	if err := a.demoProof(ctx, t, dir, url, now); err != nil {
		return err
	}
	if err := a.demoQueries(ctx, dir); err != nil {
		return err
	}
	return a.demoEnd(ctx, dir, now)
}

// demoProof deletes stored rows, and has them found and repaired.
func (a *app) demoProof(ctx context.Context, t *task, dir, url string, now time.Time) error {
	db, err := duckdb.Open(load.File(dir), duckdb.Session{})
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, "DELETE FROM violations WHERE timestamp BETWEEN ? AND ?", now.AddDate(0, 0, -40), now.AddDate(0, 0, -40).Add(40*time.Minute))
	if err := errors.Join(err, db.Close()); err != nil {
		return err
	}
	o := demoOptions(dir, now)
	o.Source, o.Observe = url, func(run.Event) {}
	record := t.record(o, "repair", "")
	done, err := audit.Repair(ctx, o, t.source)
	record.repaired(done)
	record.end(ctx, err)
	if err != nil {
		return err
	}
	fmt.Fprintf(a.stdout, "Found:    %s\n          (%d requests)\n", inWords(done.Found), done.Found.Requests)
	for _, s := range done.Found.Streams {
		for _, f := range s.Findings {
			fmt.Fprintf(a.stdout, "          %s from %s to %s: %s\n", s.Stream, stamp(&f.From), stamp(&f.To), sampleIDs(f.Samples))
		}
	}
	if done.Left == nil {
		return stillDiffers(done)
	}
	var rows, requests int64
	for _, fetched := range done.Summary.Streams {
		rows, requests = rows+fetched.Inserted, requests+fetched.Requests
	}
	fmt.Fprintf(a.stdout, "Repaired: %d rows fetched with %d requests\nNow:      %s\n", rows, requests, verdict(done.Left))
	return stillDiffers(done)
}

// demoEnd says where the files are, and leaves a configuration with which the
// other commands find them.
func (a *app) demoEnd(ctx context.Context, dir string, now time.Time) error {
	settings := filepath.Join(dir, defaultConfig)
	content := fmt.Sprintf("# Made by 'flashback-sync demo'; its simulated API is gone.\ndata_dir: .\nstreams: {alerts: {start: %[1]s}, violations: {start: %[1]s}, policy_stats: }\n",
		demoOptions(dir, now).Lists[0].Start.Format(time.RFC3339))
	if err := durable.Write(settings, []byte(content)); err != nil {
		return err
	}
	c, err := config.Load(settings, func(string) (string, bool) { return "", false })
	if err != nil {
		return err
	}
	a.say("The status page of this data; 'serve' shows the same page:")
	if err := a.writeStatusPage(ctx, c, filepath.Join(dir, "report.html")); err != nil {
		return err
	}
	a.say("What analysts open, complete at every instant:")
	t := newTable(a.stdout)
	t.AppendRows([]table.Row{
		{filepath.Join(dir, snapshot.Name), "DuckDB: tables, views in schema bi, every column commented"},
		{filepath.Join(dir, "lake", "*", "*", "*.parquet"), "Parquet: one file a table and day (statistics: month)"},
		{filepath.Join(dir, "lake", "manifest.json"), "every file with rows, bytes, SHA-256; the coverage ledger"},
	})
	t.Render()
	a.say("Go on:")
	fmt.Fprintf(a.stdout, "  %[1]s --config %[2]s status\n  %[1]s --config %[2]s query \"SELECT name, alerts, violations FROM users ORDER BY alerts DESC LIMIT 5\"\n\n", os.Args[0], settings)
	return nil
}

// clearDemo makes the folder ready. It removes nothing that no demo has made.
func clearDemo(dir string) error {
	mark := filepath.Join(dir, demoMark)
	entries, err := os.ReadDir(dir)
	if err == nil && len(entries) > 0 {
		if _, err := os.Stat(mark); err != nil {
			return usage(fmt.Errorf("--dir %s: the folder is not empty and no demo made it", dir))
		}
		if err := os.RemoveAll(dir); err != nil {
			return err
		}
	}
	return errors.Join(os.MkdirAll(dir, 0o750), os.WriteFile(mark, nil, 0o600))
}

func (a *app) demoSync(ctx context.Context, t *task, dir string, now time.Time) error {
	o := demoOptions(dir, now)
	record := t.record(o, "sync", "sync")
	summary, err := t.sync(ctx, o)
	err = outcome(ctx, summary, err)
	record.synced(summary)
	record.end(ctx, err)
	a.printSummary(summary)
	return err
}

func demoOptions(dir string, now time.Time) run.Options {
	start := now.AddDate(0, 0, -91)
	o := run.Options{
		RunID: newRunID(), Version: version, DataDir: dir, PublishDuckDB: true, Compression: "zstd", Configured: status.StreamNames(),
		Stats: &run.Stats{Stream: seriesStream(), Start: now.AddDate(0, 0, -89), Bucket: "1h", Scopes: []run.Scope{{Scope: "org"}, {Scope: "repo", Auto: true}}},
	}
	for _, stream := range schema.Streams() {
		if stream.Kind == schema.List {
			o.Lists = append(o.Lists, run.List{Query: api.Query{Endpoint: stream.Endpoint}, Start: start, Lookback: 48 * time.Hour})
		}
	}
	return o
}

// demoQueries shows what a security team looks at first.
func (a *app) demoQueries(ctx context.Context, dir string) error {
	for _, q := range []struct{ title, sql string }{
		{"Is it complete? The newest days", `
			SELECT c.day, c.weekday, c.complete, sum(e.events) FILTER (kind = 'alert') AS alerts, sum(e.events) FILTER (kind = 'violation') AS violations
			FROM bi.calendar c LEFT JOIN bi.events_daily e USING (day) GROUP BY ALL ORDER BY day DESC LIMIT 4`},
		{"Violations by policy and severity, last 30 complete days", `
			SELECT policy_name AS policy, sum(events) FILTER (severity = 'HIGH') AS high, sum(events) FILTER (severity = 'MEDIUM') AS medium,
				sum(events) FILTER (severity = 'LOW') AS low, sum(blocked) AS blocked, bar(sum(events), 0, max(sum(events)) OVER (), 20) AS violations
			FROM bi.events_daily WHERE kind = 'violation' AND complete AND day > (SELECT max(day) FROM bi.calendar WHERE complete) - 30
			GROUP BY policy_name ORDER BY sum(events) DESC LIMIT 6`},
		{"Where the tokens of the policies' own checks go, by repository", `
			SELECT repo_name AS repo, sum(policy_tokens_in) AS tokens_in, sum(policy_tokens_out) AS tokens_out,
				round(100.0 * sum(policy_tokens_in + policy_tokens_out) / sum(sum(policy_tokens_in + policy_tokens_out)) OVER (), 1) AS share_percent
			FROM bi.stats_repo WHERE complete GROUP BY repo_name ORDER BY share_percent DESC LIMIT 6`},
		{"Who triggers most, and what", `
			SELECT user_name AS user, count(*) FILTER (kind = 'alert') AS alerts, count(*) FILTER (kind = 'violation') AS violations,
				mode(policy_name) AS mostly, mode(model) AS model
			FROM bi.events GROUP BY user_name ORDER BY count(*) DESC LIMIT 6`},
	} {
		a.say("%s", q.title)
		request := query.Request{Database: filepath.Join(dir, snapshot.Name), SQL: q.sql, Format: "table", Limits: query.DefaultLimits()}
		if err := query.Run(ctx, request, query.Output{Writer: a.stdout}); err != nil {
			return err
		}
	}
	return nil
}

func (a *app) say(format string, arguments ...any) {
	line := fmt.Sprintf(format, arguments...)
	if isTerminal(a.stdout) {
		line = text.Bold.Sprint(line)
	}
	fmt.Fprintf(a.stdout, "\n%s\n\n", line)
}

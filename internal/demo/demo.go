// Package demo shows the program at work, on an organisation that it simulates.
package demo

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/flashback-sync/flashback-sync/load"
	"github.com/flashback-sync/flashback-sync/load/duckdb"
	"github.com/flashback-sync/flashback-sync/load/durable"
)

const (
	// TokenKey is the variable in which the commands of a demo find the token. It has a
	// name of its own, so that nobody's real token is sent to where the simulator was.
	TokenKey = "FLASHBACK_DEMO_TOKEN"
	// Token is what the simulated API wants.
	Token = "demo"

	// mark shows that a folder was made by a demo, and may be replaced by one.
	mark = ".flashback-demo"
)

// Options say what is shown, and where.
type Options struct {
	Dir     string // what an earlier demo left there is replaced
	Seed    uint64 // another seed is another organisation
	Program string // how the program was called
	Out     io.Writer
	Now     time.Time // when it ends; zero means now
	Days    int       // of history; zero means 90
	// Command runs a command of the program with a configuration. It fails with ErrPartial
	// if a sync is partial.
	Command func(ctx context.Context, config string, args ...string) error
}

// ErrForeign says that the folder is not a demo's, and was left as it is.
var ErrForeign = errors.New("the folder is not empty and no demo made it")

// ErrPartial says that a sync could not read everything.
var ErrPartial = errors.New("a sync was partial")

// demo is the state of one.
type demo struct {
	Options
	config string
	*organisation
}

// Run syncs the history of an organisation, has damage found and repaired, lets a day
// pass, syncs again, and asks questions about the result.
func Run(ctx context.Context, o Options) error {
	if err := clearFolder(o.Dir); err != nil {
		return err
	}
	if o.Now.IsZero() {
		o.Now = time.Now()
	}
	o.Days = cmp.Or(o.Days, 90)
	yesterday := o.Now.UTC().Truncate(time.Hour).AddDate(0, 0, -1)
	d := &demo{Options: o, config: filepath.Join(o.Dir, "flashback-sync.yaml"), organisation: newOrganisation(o.Seed, o.Days, yesterday)}
	url, stop := d.sim.Start()
	defer stop()
	if err := durable.Write(d.config, Config(url, d.now, o.Days)); err != nil {
		return err
	}
	d.say("1. An organisation's %d days, on a simulated API at %s: everything is new.", o.Days, url)
	if err := d.command(ctx, "sync"); err != nil {
		return err
	}
	d.say("2. Someone deletes rows from the warehouse by hand. Repair finds which, and fetches just these.")
	if err := d.damage(ctx); err != nil {
		return err
	}
	if err := d.command(ctx, "repair"); err != nil {
		return err
	}
	d.say("3. A day passes. The next sync reads it and the lookback, nothing else. The API has a new field, sends a record that\nis not valid, gives rows late, and counts three alerts that it does not give: their time stays a gap, and the run is partial.")
	d.nextDay()
	if err := d.command(ctx, "sync"); err != nil && !errors.Is(err, ErrPartial) {
		return err
	}
	for _, q := range d.questions() {
		d.say("%s", q.title)
		if err := d.command(ctx, q.args...); err != nil {
			return err
		}
	}
	return d.end(ctx)
}

// Config is the configuration of a demo that begins at an instant with so many days. The other commands
// find its data with it.
func Config(url string, now time.Time, days int) []byte {
	return fmt.Appendf(nil, `# Made by 'flashback-sync demo', whose simulated API ended with it.
api: {base_url: %q, token_env: %s, max_concurrency: 8}
data_dir: .
verify_every: 0s
streams:
  alerts: {start: %[3]s}
  violations: {start: %[3]s}
  policy_stats: {start: %[4]s, scopes: [{scope: org}, {scope: repo, ids: [auto]}]}
`, url, TokenKey, now.AddDate(0, 0, -days-1).Format(time.RFC3339), now.AddDate(0, 0, 1-days).Format(time.RFC3339))
}

func (d *demo) command(ctx context.Context, args ...string) error {
	return d.Command(ctx, d.config, args...)
}

// damage deletes stored rows.
func (d *demo) damage(ctx context.Context) error {
	db, err := duckdb.Open(load.File(d.Dir), duckdb.Session{})
	if err != nil {
		return err
	}
	from := d.now.Truncate(24*time.Hour).AddDate(0, 0, -20).Add(9 * time.Hour)
	_, err = db.ExecContext(ctx, "DELETE FROM violations WHERE timestamp BETWEEN ? AND ?", from, from.Add(40*time.Minute))
	return errors.Join(err, db.Close())
}

// end says where the files are.
func (d *demo) end(ctx context.Context) error {
	d.say("The week as a report, with the status page below it; 'serve' shows the same page:")
	if err := d.command(ctx, "report", "--out", filepath.Join(d.Dir, "report.html")); err != nil {
		return err
	}
	d.say("What analysts open, complete at every instant:")
	fmt.Fprintf(d.Out, ` %s   DuckDB: tables, views in schema bi, every column commented
 %s   Parquet: one file a table and day (statistics: month)
 %s   every file with rows, bytes, SHA-256; the coverage ledger
`, filepath.Join(d.Dir, "flashback.duckdb"), filepath.Join(d.Dir, "lake", "*", "*", "*.parquet"), filepath.Join(d.Dir, "lake", "manifest.json"))
	d.say("Go on:")
	fmt.Fprintf(d.Out, "  %[1]s --config %[2]s status\n  %[1]s --config %[2]s query \"SELECT name, alerts, violations FROM users ORDER BY alerts DESC LIMIT 5\"\n\n", d.Program, d.config)
	return nil
}

func (d *demo) say(format string, arguments ...any) {
	fmt.Fprintf(d.Out, "\n%s\n\n", text.Bold.Sprintf(format, arguments...))
}

// clearFolder makes the folder ready. It removes nothing that no demo has made.
func clearFolder(dir string) error {
	entries, err := os.ReadDir(dir)
	if err == nil && len(entries) > 0 {
		if _, err := os.Stat(filepath.Join(dir, mark)); err != nil {
			return fmt.Errorf("%s: %w", dir, ErrForeign)
		}
		if err := os.RemoveAll(dir); err != nil {
			return err
		}
	}
	return errors.Join(os.MkdirAll(dir, 0o750), os.WriteFile(filepath.Join(dir, mark), nil, 0o600))
}

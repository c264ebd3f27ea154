package status

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/flashback-sync/flashback-sync/checkpoints"
	"github.com/flashback-sync/flashback-sync/internal/journal"
	"github.com/flashback-sync/flashback-sync/load/duckdb"
	"github.com/flashback-sync/flashback-sync/load/lake"
	"github.com/flashback-sync/flashback-sync/load/snapshot"
	"github.com/flashback-sync/flashback-sync/schema"
)

// Source says what is to be read.
type Source struct {
	DataDir string
	// DuckDB says that flashback.duckdb is published; without it the lake is read.
	DuckDB bool
	// Lookbacks are the configured streams and their lookbacks (0 for statistics).
	Lookbacks map[string]time.Duration
	// Wanted are the queries of the configured streams.
	Wanted map[string]journal.Wanted
	// Names allows the names of users.
	Names bool
	// At is now.
	At time.Time
}

// memory bounds what reading takes, beside what DuckDB needs to stand at all.
const memory = "128MB"

// ErrNothingPublished says that there is nothing to read yet.
var ErrNothingPublished = errors.New("nothing is published yet")

// ReadHoldings reads what is published. It waits for nobody and changes nothing.
func ReadHoldings(ctx context.Context, from Source) (h *Holdings, err error) {
	manifest, err := lake.ReadManifest(from.lake())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNothingPublished
	}
	if err != nil {
		return nil, err
	}
	h = &Holdings{At: manifest.GeneratedAt, LakeFiles: len(manifest.Files)}
	for _, file := range manifest.Files {
		h.LakeBytes += file.Bytes
	}
	info, err := os.Stat(filepath.Join(from.DataDir, snapshot.Name))
	file := err == nil && from.DuckDB
	if file {
		h.DuckDBBytes = info.Size()
	}
	r, err := open(ctx, from, file)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.db.Close()) }()
	if h.Streams, err = r.streams(ctx, manifest.Coverage); err != nil {
		return nil, err
	}
	if h.Overview, err = r.overview(ctx, h.Streams); err != nil {
		return nil, err
	}
	if h.Week, err = r.week(ctx); err != nil {
		return nil, err
	}
	return h, nil
}

func (f Source) lake() string { return filepath.Join(f.DataDir, "lake") }

// reader queries the published file, or views of the lake that look like it.
type reader struct {
	from   Source
	db     *sql.DB
	tables map[string]bool // the lake has none of the program's own, and none of a stream without rows
}

// open opens the published file, or the lake if there is none.
func open(ctx context.Context, from Source, file bool) (*reader, error) {
	path, session := filepath.Join(from.DataDir, snapshot.Name), duckdb.Session{ReadOnly: true, MemoryLimit: memory, Background: true}
	if !file {
		path, session = "", duckdb.Session{Folder: from.lake(), MemoryLimit: memory, Background: true}
	}
	db, err := duckdb.Open(path, session)
	if err != nil {
		return nil, err
	}
	r := &reader{from: from, db: db, tables: map[string]bool{}}
	if !file {
		err = r.lakeViews(ctx)
	}
	names, listErr := duckdb.ReadColumn[string](ctx, db, `SELECT table_name FROM information_schema.tables`)
	if err = errors.Join(err, listErr); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	for _, name := range names {
		r.tables[name] = true
	}
	return r, nil
}

// lakeViews makes a view of every table that the lake has files of.
func (r *reader) lakeViews(ctx context.Context) error {
	folder, err := filepath.Abs(r.from.lake())
	if err != nil {
		return err
	}
	for _, stream := range schema.Streams() {
		t := stream.Table
		files, err := filepath.Glob(filepath.Join(folder, t.Name, "*", "*.parquet"))
		if err != nil || len(files) == 0 {
			continue
		}
		for i, file := range files {
			files[i] = schema.Literal(file)
		}
		if _, err := r.db.ExecContext(ctx, fmt.Sprintf("CREATE VIEW %s AS SELECT * FROM read_parquet([%s], union_by_name = true)",
			t.Name, strings.Join(files, ", "))); err != nil {
			return err
		}
	}
	return nil
}

// streams reads those that are configured or have anything stored.
func (r *reader) streams(ctx context.Context, ledger []checkpoints.Line) (all []Stream, err error) {
	for _, stream := range schema.Streams() {
		name := stream.Name
		s := Stream{Name: name, Lanes: lanes(ledger, name), Lookback: r.from.Lookbacks[name], Wanted: r.from.Wanted[name]}
		if err := r.rows(ctx, stream.Table, &s); err != nil {
			return nil, err
		}
		if err := r.rejects(ctx, &s); err != nil {
			return nil, err
		}
		if err := r.lateness(ctx, &s); err != nil {
			return nil, err
		}
		_, configured := r.from.Lookbacks[name]
		s.Retired = !configured
		if configured || s.Rows > 0 || len(s.Lanes) > 0 {
			all = append(all, s)
		}
	}
	return all, nil
}

// lanes arranges the ledger by filter set. It is sorted already, what is covered
// first. What earlier releases listed as lost before anything was covered was never
// to be had, and is passed over.
func lanes(ledger []checkpoints.Line, stream string) (all []Lane) {
	for _, line := range ledger {
		if line.Stream != stream {
			continue
		}
		i := slices.IndexFunc(all, func(l Lane) bool { return l.Filter == line.Filter })
		if i < 0 {
			i, all = len(all), append(all, Lane{Filter: line.Filter})
		}
		span := checkpoints.Interval{From: line.From, To: line.To}
		switch line.Status {
		case checkpoints.Covered:
			all[i].Covered = append(all[i].Covered, span)
			continue
		case checkpoints.Expired:
			all[i].Expired = append(all[i].Expired, span)
			continue
		}
		if covered := all[i].Covered; len(covered) > 0 && line.From.After(covered[0].From) {
			all[i].Lost = append(all[i].Lost, span)
		}
	}
	return all
}

// rows counts what is stored, day by day. A date of a TIMESTAMPTZ would go through
// a calendar for every row. A row dated 9999 is counted and not drawn.
func (r *reader) rows(ctx context.Context, t *schema.Table, s *Stream) error {
	if !r.tables[t.Name] {
		return nil
	}
	type counted struct {
		Day
		oldest, newest time.Time
	}
	days, err := duckdb.ReadRows(ctx, r.db, func(c *counted) []any { return []any{&c.Date, &c.Rows, &c.oldest, &c.newest} },
		fmt.Sprintf(`SELECT make_timestamp(epoch_us(%[1]s) // 86400000000 * 86400000000) AS day, count(*), min(%[1]s), max(%[1]s) FROM %[2]s
			GROUP BY day ORDER BY day`, schema.Ident(t.Time), t.Name))
	if err != nil || len(days) == 0 {
		return err
	}
	s.Oldest, s.Newest = &days[0].oldest, &days[len(days)-1].newest
	drawn := checkpoints.Interval{From: time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC), To: nextDay(r.from.At.Add(24 * time.Hour))}
	for _, day := range days {
		s.Rows += day.Rows
		if drawn.Contains(day.Date) {
			s.Days = append(s.Days, day.Day)
		}
	}
	return nil
}

// mostReasons bounds the reasons of rejects that are listed.
const mostReasons = 5

func (r *reader) rejects(ctx context.Context, s *Stream) (err error) {
	if !r.tables["rejected_records"] {
		return nil
	}
	s.Reasons, err = duckdb.ReadRows(ctx, r.db, func(reason *Ranked) []any { return []any{&reason.Name, &reason.Count} },
		`SELECT reason, count(*) AS n FROM rejected_records WHERE stream = ? GROUP BY reason ORDER BY n DESC, reason`, s.Name)
	for _, reason := range s.Reasons {
		s.Rejected += reason.Count
	}
	s.Reasons = s.Reasons[:min(len(s.Reasons), mostReasons)]
	return err
}

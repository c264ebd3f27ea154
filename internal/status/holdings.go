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
	r, err := open(ctx, from)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.close()) }()
	if r.file {
		if info, err := os.Stat(from.file()); err == nil {
			h.DuckDBBytes = info.Size()
		}
	}
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
func (f Source) file() string { return filepath.Join(f.DataDir, snapshot.Name) }

// reader queries the published file, or views of the lake that look like it.
type reader struct {
	from Source
	file bool // the published file, and not the lake
	db   *sql.DB
}

func open(ctx context.Context, from Source) (*reader, error) {
	r := &reader{from: from}
	if _, err := os.Stat(from.file()); err == nil && from.DuckDB {
		r.file = true
	}
	var err error
	if r.file {
		r.db, err = duckdb.Open(from.file(), duckdb.Session{ReadOnly: true, MemoryLimit: memory, Background: true})
	} else {
		r.db, err = duckdb.Open("", duckdb.Session{Folder: from.lake(), MemoryLimit: memory, Background: true})
	}
	if err != nil {
		return nil, err
	}
	if !r.file {
		err = r.lakeViews(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, r.db.Close())
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
		if _, err := r.db.ExecContext(ctx, fmt.Sprintf("CREATE VIEW %s AS SELECT * FROM read_parquet([%s], union_by_name = true)",
			t.Name, literals(files))); err != nil {
			return err
		}
	}
	return nil
}

func (r *reader) close() error { return r.db.Close() }

// eachOf is each where the table may be missing: the lake has none of the program's
// own, and none of a stream without rows.
func (r *reader) eachOf(ctx context.Context, table, query string, arguments []any, scan func(*sql.Rows) error) error {
	var there bool
	err := r.db.QueryRowContext(ctx, `SELECT count(*) > 0 FROM information_schema.tables WHERE table_name = ?`, table).Scan(&there)
	if err != nil || !there {
		return err
	}
	return r.each(ctx, query, arguments, scan)
}

// each runs a query and calls scan for every row.
func (r *reader) each(ctx context.Context, query string, arguments []any, scan func(*sql.Rows) error) error {
	rows, err := r.db.QueryContext(ctx, query, arguments...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
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
	drawn := checkpoints.Interval{From: time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC), To: nextDay(r.from.At.Add(24 * time.Hour))}
	return r.eachOf(ctx, t.Name, fmt.Sprintf(`SELECT epoch_us(%[1]s) // 86400000000 AS day, count(*), min(%[1]s), max(%[1]s) FROM %[2]s
			GROUP BY day ORDER BY day`, quote(t.Time), t.Name), nil, func(rows *sql.Rows) error {
		var day, n int64
		var oldest, newest time.Time
		err := rows.Scan(&day, &n, &oldest, &newest)
		oldest, newest = oldest.UTC(), newest.UTC()
		if s.Rows == 0 {
			s.Oldest = &oldest
		}
		s.Newest = &newest
		s.Rows += n
		if date := time.Unix(day*86400, 0).UTC(); drawn.Contains(date) {
			s.Days = append(s.Days, Day{Date: date, Rows: n})
		}
		return err
	})
}

// mostReasons bounds the reasons of rejects that are listed.
const mostReasons = 5

func (r *reader) rejects(ctx context.Context, s *Stream) error {
	return r.eachOf(ctx, "rejected_records", `SELECT reason, count(*) AS n FROM rejected_records WHERE stream = ? GROUP BY reason ORDER BY n DESC, reason`,
		[]any{s.Name}, func(rows *sql.Rows) error {
			var reason Ranked
			err := rows.Scan(&reason.Name, &reason.Count)
			s.Rejected += reason.Count
			if len(s.Reasons) < mostReasons {
				s.Reasons = append(s.Reasons, reason)
			}
			return err
		})
}

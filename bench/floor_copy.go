package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/flashback-sync/flashback-sync/schema"
)

// copySpec is the floor of the lake: the same rows, from the same file, written
// by DuckDB itself, one file a day.
type copySpec struct {
	Database string
	Dir      string
}

// copied is what was written.
type copied struct{ Rows, Bytes int64 }

// copyMemory is more than the program's: a day of 200,000 rows is sorted at once.
const copyMemory = "512MB"

// copyDays sorts and compresses as the lake does, with as many threads. It is no
// way to publish: COPY syncs nothing, and readers see a file grow.
func copyDays(ctx context.Context, spec copySpec) (written copied, err error) {
	db, err := sql.Open("duckdb", spec.Database+"?access_mode=READ_ONLY&threads=1&memory_limit="+copyMemory)
	if err != nil {
		return written, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	db.SetMaxOpenConns(1)
	if _, err := db.ExecContext(ctx, "SET TimeZone = 'UTC'"); err != nil {
		return written, err
	}
	for _, name := range streams {
		rows, err := copyTable(ctx, db, schema.ByName(name), filepath.Join(spec.Dir, name))
		if err != nil {
			return written, err
		}
		written.Rows += rows
	}
	written.Bytes, err = bytesBelow(spec.Dir)
	return written, err
}

func copyTable(ctx context.Context, db *sql.DB, table *schema.Table, dir string) (rows int64, err error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return 0, err
	}
	var first, last time.Time
	err = db.QueryRowContext(ctx, fmt.Sprintf("SELECT min(timestamp), max(timestamp) FROM %s", table.Name)).Scan(&first, &last)
	if err != nil {
		return 0, err
	}
	for day := first.UTC().Truncate(24 * time.Hour); !day.After(last); day = day.AddDate(0, 0, 1) {
		result, err := db.ExecContext(ctx, fmt.Sprintf(
			`COPY (SELECT * FROM %s WHERE timestamp >= make_timestamptz(%d) AND timestamp < make_timestamptz(%d) ORDER BY timestamp, id)
			TO %s (FORMAT parquet, COMPRESSION zstd)`,
			table.Name, day.UnixMicro(), day.AddDate(0, 0, 1).UnixMicro(), schema.Literal(filepath.Join(dir, day.Format(time.DateOnly)+".parquet"))))
		if err != nil {
			return 0, err
		}
		n, err := result.RowsAffected()
		if err != nil {
			return 0, err
		}
		rows += n
	}
	return rows, nil
}

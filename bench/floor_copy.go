package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	_ "github.com/duckdb/duckdb-go/v2" // the driver

	"github.com/flashback-sync/flashback-sync/schema"
)

// copySpec is the floor of the lake: the same rows, from the same file, written
// by DuckDB itself, one file a day.
type copySpec struct {
	Database string
	Dir      string
}

// copyDays sorts and compresses as the lake does, with as many threads. It is no
// way to publish: COPY syncs nothing, and readers see a file grow.
func copyDays(ctx context.Context, spec copySpec) (bytes int64, err error) {
	db, err := sql.Open("duckdb", spec.Database+"?access_mode=READ_ONLY&threads=1&memory_limit="+memoryLimit)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	db.SetMaxOpenConns(1)
	if _, err := db.ExecContext(ctx, "SET TimeZone = 'UTC'"); err != nil {
		return 0, err
	}
	for _, name := range streams {
		if err := copyTable(ctx, db, schema.ByName(name), filepath.Join(spec.Dir, name)); err != nil {
			return 0, err
		}
	}
	return bytesBelow(spec.Dir)
}

func copyTable(ctx context.Context, db *sql.DB, table *schema.Table, dir string) error {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return err
	}
	var first, last time.Time
	err := db.QueryRowContext(ctx, fmt.Sprintf("SELECT min(timestamp), max(timestamp) FROM %s", table.Name)).Scan(&first, &last)
	if err != nil {
		return err
	}
	for day := first.UTC().Truncate(24 * time.Hour); !day.After(last); day = day.AddDate(0, 0, 1) {
		_, err := db.ExecContext(ctx, fmt.Sprintf(
			`COPY (SELECT * FROM %s WHERE timestamp >= make_timestamptz(%d) AND timestamp < make_timestamptz(%d) ORDER BY timestamp, id)
			TO %s (FORMAT parquet, COMPRESSION zstd)`,
			table.Name, day.UnixMicro(), day.AddDate(0, 0, 1).UnixMicro(), schema.Literal(filepath.Join(dir, day.Format(time.DateOnly)+".parquet"))))
		if err != nil {
			return err
		}
	}
	return nil
}

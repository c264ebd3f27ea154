package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/flashback-sync/flashback-sync/load"
	"github.com/flashback-sync/flashback-sync/load/lake"
	"github.com/flashback-sync/flashback-sync/schema"
)

// prefillSpec is a history that no source has to serve: the week of alerts that a
// warehouse holds is repeated, with other ids, in the weeks before.
type prefillSpec struct {
	Dir   string // data_dir
	Weeks int    // to add
	Start time.Time
}

const week = 7 * 24 * time.Hour

// prefill adds the weeks to the private file, newest first as a sync would, to the
// ledger and to the lake, whose files are copied: a run looks at the names and
// sizes of those that did not change.
func prefill(ctx context.Context, spec prefillSpec) (files int, err error) {
	if err := repeatRows(ctx, spec); err != nil {
		return 0, err
	}
	return repeatFiles(filepath.Join(spec.Dir, "lake"), spec.Weeks)
}

func repeatRows(ctx context.Context, spec prefillSpec) (err error) {
	db, err := load.OpenDuckDB(load.File(spec.Dir), load.Session{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if _, err := db.ExecContext(ctx, "CREATE TEMP TABLE week AS SELECT * FROM alerts"); err != nil {
		return err
	}
	const atOnce = 16 // few enough for a small machine's memory, and much faster than one
	for n := 1; n <= spec.Weeks; n += atOnce {
		if _, err := db.ExecContext(ctx, repeatStatement(), n, min(n+atOnce, spec.Weeks+1)); err != nil {
			return err
		}
	}
	if _, err := db.ExecContext(ctx, "UPDATE sync_coverage SET from_ts = ?", spec.Start); err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, "CHECKPOINT")
	return err
}

// repeatStatement inserts the week as it might have been n weeks earlier, for a
// range of n.
func repeatStatement() string {
	var values []string
	for _, c := range schema.Alerts().Columns {
		value := schema.Ident(c.Name)
		switch c.Name {
		case "id":
			value = "md5(id || n)[1:8] || id[9:]"
		case "timestamp":
			value = "timestamp - to_days((7 * n)::INTEGER)"
		}
		values = append(values, value)
	}
	return fmt.Sprintf("INSERT INTO alerts SELECT %s FROM week, range(?, ?) weeks(n) ORDER BY n, timestamp", strings.Join(values, ", "))
}

// repeatFiles repeats the files of the week, and what the manifest says of them.
func repeatFiles(dir string, weeks int) (files int, err error) {
	manifest, err := lake.ReadManifest(dir)
	if err != nil {
		return 0, err
	}
	for _, file := range manifest.Files {
		if file.Table != "alerts" {
			continue
		}
		content, err := os.ReadFile(filepath.Join(dir, file.Path))
		if err != nil {
			return 0, err
		}
		for n := range weeks {
			earlier := file
			earlier.Oldest, earlier.Newest = file.Oldest.Add(-time.Duration(n+1)*week), file.Newest.Add(-time.Duration(n+1)*week)
			earlier.Path = lake.Path(schema.Alerts(), earlier.Oldest.UTC().Truncate(24*time.Hour))
			name := filepath.Join(dir, earlier.Path)
			if err := os.MkdirAll(filepath.Dir(name), 0o750); err != nil {
				return 0, err
			}
			if err := os.WriteFile(name, content, 0o640); err != nil { //nolint:gosec // a date below a folder of our own
				return 0, err
			}
			manifest.Files = append(manifest.Files, earlier)
		}
	}
	content, err := json.Marshal(manifest)
	if err != nil {
		return 0, err
	}
	return len(manifest.Files), os.WriteFile(filepath.Join(dir, lake.ManifestName), content, 0o640)
}

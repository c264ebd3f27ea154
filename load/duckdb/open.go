// Package duckdb opens DuckDB safely: session settings and memory, checks of a file before
// it is opened, what an error means. It also derives from a table's declaration the SQL
// that committing and comparing share, and lends Arrow batches to DuckDB as views.
package duckdb

import (
	"cmp"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/duckdb/duckdb-go/v2"

	"github.com/flashback-sync/flashback-sync/internal/crash"
	"github.com/flashback-sync/flashback-sync/load/durable"
	"github.com/flashback-sync/flashback-sync/schema"
)

// Session says how DuckDB may use the machine.
type Session struct {
	MemoryLimit string // DuckDB's notation: 256MB; "" for DuckDB's own default
	TempDir     string // where sorts spill to; "" for none
	Background  bool   // one thread, memory given back early
	ReadOnly    bool
	TimeZone    string // "" for UTC

	Attach map[string]string // further files to read, by the name they get
	Output string            // a new file to write, which gets the name output; "" for none
	Folder string            // a folder whose files may be read and written; "" for none
	Search string            // where names without a database are looked for; "" for the file itself
}

// storageVersion is the oldest DuckDB whose format a new file is written in, so that
// readers need not be as new as the DuckDB that is built in. It is DuckDB's default
// today; a later DuckDB has a newer one. A file that exists keeps its format.
const storageVersion = "v0.10.2"

// Open opens a DuckDB file hardened: no access to other files or the
// network, no extensions, configuration locked, time zone UTC. An empty path is a
// database in memory.
func Open(path string, s Session) (*sql.DB, error) {
	if strings.ContainsAny(path, "?\x00") {
		return nil, fmt.Errorf("%q: DuckDB cannot open a path with a question mark", path)
	}
	for _, file := range append(slices.Collect(maps.Values(s.Attach)), path) {
		// DuckDB opens the log, too.
		if err := errors.Join(durable.CheckPlain(file), durable.CheckPlain(file+".wal")); err != nil {
			return nil, err
		}
	}
	dsn := ""
	if path != "" {
		absolute, err := filepath.Abs(path)
		if err != nil {
			return nil, err
		}
		dsn = absolute
	}
	dsn += "?storage_compatibility_version=" + storageVersion
	if s.ReadOnly {
		dsn += "&access_mode=READ_ONLY"
	}
	set := false
	connector, err := duckdb.NewConnector(dsn, func(connection driver.ExecerContext) error {
		defer crash.Exit() // database/sql may call it in a goroutine of its own
		if set {           // for the whole database, and locked
			return nil
		}
		set = true
		for _, statement := range s.Statements() {
			if _, err := connection.ExecContext(context.Background(), statement, nil); err != nil {
				return fmt.Errorf("%s: %w", statement, err)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(1)
	return db, nil
}

// Statements are what a connection runs first. They lock the configuration.
func (s Session) Statements() []string {
	statements := []string{"SET GLOBAL TimeZone = " + schema.Literal(cmp.Or(s.TimeZone, "UTC"))}
	if s.MemoryLimit != "" {
		statements = append(statements, "SET memory_limit = "+schema.Literal(s.MemoryLimit))
	}
	if s.Background {
		// Measured on two cores: a second thread made batches of 50,000 rows cost
		// a third more CPU and some 30 MB, and loaded them no faster.
		statements = append(statements, "SET threads = 1",
			"SET allocator_background_threads = true", "SET allocator_flush_threshold = '8MB'")
	}
	if s.TempDir != "" {
		statements = append(statements, "SET temp_directory = "+schema.Literal(s.TempDir))
	}
	for name, path := range s.Attach {
		statements = append(statements, fmt.Sprintf("ATTACH %s AS %s (READ_ONLY)", schema.Literal(path), schema.Ident(name)))
	}
	if s.Output != "" {
		statements = append(statements, fmt.Sprintf("ATTACH %s AS output (STORAGE_VERSION %s)", schema.Literal(s.Output), schema.Literal(storageVersion)))
	}
	if s.Search != "" {
		statements = append(statements, "SET search_path = "+schema.Literal(s.Search))
	}
	if s.Folder != "" {
		statements = append(statements, fmt.Sprintf("SET allowed_directories = [%s]", schema.Literal(s.Folder)))
	}
	return append(statements,
		"SET allow_community_extensions = false",
		"SET autoinstall_known_extensions = false",
		"SET autoload_known_extensions = false",
		"SET enable_external_access = false",
		"SET lock_configuration = true",
	)
}

// Version is the version of the DuckDB that is built in.
func Version(ctx context.Context) (version string, err error) {
	db, err := sql.Open("duckdb", "")
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	err = db.QueryRowContext(ctx, "SELECT version()").Scan(&version)
	return version, err
}

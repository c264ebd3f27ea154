package query

import (
	"cmp"
	"errors"
	"path/filepath"
	"sync/atomic"

	"github.com/duckdb/duckdb-go/v2/mapping"

	"github.com/flashback-sync/flashback-sync/load/duckdb"
	"github.com/flashback-sync/flashback-sync/schema"
)

// session is a connection to the published file. It is made with DuckDB's C
// interface: database/sql neither tells statements apart before they run, nor
// returns rows before it has all of them in memory, outside of any limit.
type session struct {
	db         mapping.Database
	connection mapping.Connection
	limits     Limits
	spill      *spill
	file       string // the one file that may be written; "" for none
	params     map[string]string
	used       map[string]bool // the parameters that a statement has
	written    atomic.Int64    // rows of the results so far
}

func open(r Request, out Output) (s *session, err error) {
	path, err := filepath.Abs(r.Database)
	if err != nil {
		return nil, err
	}
	s = &session{limits: r.Limits, spill: newSpill(), params: r.Params, used: map[string]bool{}}
	if r.Format == "parquet" {
		s.file = cmp.Or(out.Path, s.spill.path("result.parquet"))
	}
	defer func(opened *session) {
		if err != nil {
			err = errors.Join(err, opened.close())
		}
	}(s)
	var config mapping.Config
	defer func() { mapping.DestroyConfig(&config) }()
	mapping.CreateConfig(&config)
	mapping.SetConfig(config, "access_mode", "READ_ONLY")
	var cause string
	if mapping.OpenExt(path, &s.db, config, &cause) == mapping.StateError {
		return nil, &duckdb.StorageError{Doing: "open " + path, Err: errors.New(cause)}
	}
	if mapping.Connect(s.db, &s.connection) == mapping.StateError {
		return nil, &duckdb.StorageError{Doing: "open " + path, Err: errors.New("no connection")}
	}
	return s, s.configure(r)
}

// configure sets the limits and locks the configuration.
func (s *session) configure(r Request) error {
	statements := []string{"SET temp_directory = " + schema.Literal(s.spill.dir)}
	if s.spill.dir != "" {
		statements = append(statements, "SET max_temp_directory_size = "+schema.Literal(r.Limits.Spill))
	}
	if s.file != "" {
		statements = append(statements, "SET allowed_paths = ["+schema.Literal(s.file)+"]")
	}
	// Views are found without the name of their schema. A file of an earlier release has none.
	_ = s.set("SET search_path = 'main," + schema.ViewSchema + "'")
	hardening := duckdb.Session{MemoryLimit: r.Limits.Memory, TimeZone: r.Zone}
	for _, statement := range append(statements, hardening.Statements()...) {
		if err := s.set(statement); err != nil {
			return err
		}
	}
	return nil
}

func (s *session) set(statement string) error {
	var result mapping.Result
	defer mapping.DestroyResult(&result)
	if mapping.Query(s.connection, statement, &result) == mapping.StateError {
		return refused("%s: %s", statement, mapping.ResultError(&result))
	}
	return nil
}

func (s *session) close() error {
	if s.connection.Ptr != nil {
		mapping.Disconnect(&s.connection)
	}
	if s.db.Ptr != nil {
		mapping.Close(&s.db)
	}
	return s.spill.remove()
}

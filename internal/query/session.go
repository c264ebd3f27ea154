package query

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/duckdb/duckdb-go/v2/mapping"

	"github.com/flashback-sync/flashback-sync/internal/format"
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

// bind gives every parameter of a statement its text. It counts as a quoted text in its
// place, which DuckDB casts to what is needed there.
func (s *session) bind(prepared mapping.PreparedStatement) error {
	for i := range mapping.NParams(prepared) {
		name := mapping.ParameterName(prepared, i+1)
		value, given := s.params[name]
		if !given {
			return refused("the SQL has the parameter $%[1]s: add --param %[1]s=VALUE", name)
		}
		s.used[name] = true
		if mapping.BindVarcharLength(prepared, i+1, value, mapping.IdxT(len(value))) == mapping.StateError {
			return refused("--param %s: %s", name, mapping.PrepareError(prepared))
		}
	}
	return nil
}

// allUsed refuses a parameter that no statement has: its name may be misspelled.
func (s *session) allUsed() error {
	for _, name := range slices.Sorted(maps.Keys(s.params)) {
		if !s.used[name] {
			return refused("--param %[1]s: the SQL has no parameter $%[1]s", name)
		}
	}
	return nil
}

// bound are the columns of a statement with parameters, which may have no types before
// it runs.
func (s *session) bound(text string) (all []column, err error) {
	err = s.last("SELECT * FROM "+subquery(text)+" LIMIT 0", func(prepared mapping.PreparedStatement) error {
		return s.execute(prepared, func(result *mapping.Result) error {
			for i := range mapping.ColumnCount(result) {
				logical := mapping.ColumnLogicalType(result, i)
				all = append(all, column{format.Column{Name: mapping.ColumnName(result, i), Kind: kindOf(logical)}, storedAs(logical)})
				mapping.DestroyLogicalType(&logical)
			}
			return nil
		})
	})
	return all, err
}

// split cuts the SQL into statements. DuckDB's parser decides where one ends; its C
// interface does not return their texts.
func (s *session) split(ctx context.Context, sql string) (all []string, err error) {
	if strings.ContainsRune(sql, 0) {
		return nil, refused("the SQL contains a NUL character")
	}
	if err := s.parse(sql); err != nil { // with the lines as they were written
		return nil, err
	}
	for sql != "" {
		end, err := s.end(ctx, sql)
		if err != nil {
			return nil, err
		}
		extracted, count, err := s.extract(sql[:end])
		mapping.DestroyExtracted(&extracted)
		if err != nil {
			return nil, err
		}
		if count > 0 { // more than a comment
			all = append(all, sql[:end])
		}
		sql = sql[min(end+1, len(sql)):]
	}
	return all, nil
}

// end is where the first statement ends: at a semicolon before which all can be
// parsed. Within a comment that would go on, even if nonsense followed.
func (s *session) end(ctx context.Context, sql string) (int, error) {
	for at := 0; ; at++ {
		next := strings.IndexByte(sql[at:], ';')
		if next < 0 {
			return len(sql), nil
		}
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		at += next
		if s.parse(sql[:at]) == nil && s.parse(sql[:at]+" ]") != nil {
			return at, nil
		}
	}
}

func (s *session) parse(sql string) error {
	extracted, _, err := s.extract(sql)
	mapping.DestroyExtracted(&extracted)
	return err
}

// extract parses. The statements must be destroyed, also after an error.
func (s *session) extract(sql string) (extracted mapping.ExtractedStatements, count mapping.IdxT, err error) {
	count = mapping.ExtractStatements(s.connection, sql, &extracted)
	if count == 0 {
		if cause := mapping.ExtractStatementsError(extracted); cause != "" {
			err = s.failure(cause)
		}
	}
	return extracted, count, err
}

package query

import (
	"maps"
	"slices"

	"github.com/duckdb/duckdb-go/v2/mapping"

	"github.com/flashback-sync/flashback-sync/internal/format"
)

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

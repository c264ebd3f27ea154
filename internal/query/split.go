package query

import (
	"context"
	"strings"

	"github.com/duckdb/duckdb-go/v2/mapping"
)

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

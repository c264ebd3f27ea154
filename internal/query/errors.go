package query

import (
	"errors"
	"fmt"
	"strings"

	"github.com/flashback-sync/flashback-sync/load/duckdb"
)

// StatementError is a mistake in the SQL, or a statement that is not admitted.
type StatementError struct{ Text string }

func (e *StatementError) Error() string { return e.Text }

// LimitError reports a limit that was reached.
type LimitError struct {
	Limit string // time, memory or spill
	Most  string
}

func (e *LimitError) Error() string {
	return "query stopped: it " + map[string]string{
		"time": "ran for more than " + e.Most, "memory": "needs more than " + e.Most + " of memory",
		"spill": "needs more than " + e.Most + " of disk space for what does not fit into memory",
	}[e.Limit]
}

func refused(format string, args ...any) error {
	return &StatementError{fmt.Sprintf(format, args...)}
}

// failure is the error for what DuckDB reports.
func (s *session) failure(text string) error {
	switch {
	case strings.HasPrefix(text, "Out of Memory Error") && strings.Contains(text, "max_temp_directory_size"):
		return &LimitError{Limit: "spill", Most: s.limits.Spill}
	case strings.HasPrefix(text, "Out of Memory Error"):
		return &LimitError{Limit: "memory", Most: s.limits.Memory}
	case strings.HasPrefix(text, "IO Error"), strings.HasPrefix(text, "Serialization Error"), strings.HasPrefix(text, "FATAL Error"):
		return &duckdb.StorageError{Doing: "query", Err: errors.New(text)}
	}
	return &StatementError{text}
}

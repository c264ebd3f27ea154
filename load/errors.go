package load

import (
	"errors"
	"fmt"
	"strings"
)

// ErrLocked says that another instance works in the same data_dir.
var ErrLocked = errors.New("another instance is running")

// DamagedError says that the private warehouse cannot be used: it is damaged, not
// ours, or from a newer release. The file was left as it is.
type DamagedError struct {
	Path   string
	Reason string
}

func (e *DamagedError) Error() string { return e.Path + ": " + e.Reason }

// StorageError says that the disk or the database refused something.
type StorageError struct {
	Doing string
	Err   error
}

func (e *StorageError) Error() string { return fmt.Sprintf("%s: %v", e.Doing, e.Err) }
func (e *StorageError) Unwrap() error { return e.Err }

func storage(doing string, err error) error {
	if err == nil {
		return nil
	}
	return &StorageError{Doing: doing, Err: err}
}

// openError tells damage from trouble with the disk.
func openError(path string, err error) error {
	text := err.Error()
	for _, sign := range []string{"not a valid DuckDB database", "ould not read enough bytes", "orrupt", "checksum", "erialization", "version number", "ailed to deserialize", "WAL"} {
		if strings.Contains(text, sign) {
			return &DamagedError{Path: path, Reason: firstLine(text)}
		}
	}
	return storage("open warehouse", errors.New(firstLine(text)))
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

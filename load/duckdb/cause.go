package duckdb

import (
	"errors"
	"io/fs"
	"syscall"
)

// Cause is why the disk or the database refused something, as far as known.
type Cause int

// Causes of a StorageError.
const (
	CauseUnknown    Cause = iota
	CauseFull             // no space, or no quota, is left
	CausePermission       // the file or folder belongs to another user
	CauseReadOnly         // the file system is mounted read-only
	CauseInUse            // another program has the file open for writing
	CauseNotOurs          // it is not a DuckDB file, or a damaged one
	CauseDisk             // the disk fails
	CauseMemory           // DuckDB had too little memory
)

// Cause finds the reason. The system's errors have numbers; DuckDB has only messages.
func (e *StorageError) Cause() Cause {
	if e.Err == nil {
		return CauseUnknown
	}
	for _, known := range []struct {
		cause   Cause
		numbers []error
		signs   []string
	}{
		{CauseFull, []error{syscall.ENOSPC, syscall.EDQUOT}, []string{"No space left on device", "Disk quota exceeded"}},
		{CauseReadOnly, []error{syscall.EROFS}, []string{"Read-only file system"}},
		{CausePermission, []error{fs.ErrPermission}, []string{"Permission denied", "Operation not permitted"}},
		{CauseInUse, nil, []string{"Could not set lock"}},
		{CauseDisk, []error{syscall.EIO}, []string{"Input/output error", "fsync"}},
		{CauseMemory, []error{syscall.ENOMEM}, memorySigns},
		{CauseNotOurs, nil, append([]string{"not a valid DuckDB database", "ailed to deserialize", "erialization Error"}, damageSigns...)},
	} {
		for _, number := range known.numbers {
			if errors.Is(e.Err, number) {
				return known.cause
			}
		}
		var system syscall.Errno
		if !errors.As(e.Err, &system) && contains(e.Err, known.signs...) {
			return known.cause
		}
	}
	return CauseUnknown
}

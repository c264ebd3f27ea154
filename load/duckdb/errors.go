package duckdb

import (
	"errors"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
)

// DamagedError says that the private warehouse cannot be used: it is damaged, not
// ours, or from a newer release. One that cannot be opened is left as it is.
type DamagedError struct {
	Path   string // as opened, or below data_dir if the damage showed later
	Reason string
	Newer  bool // nothing is wrong with it: a newer release can read it
}

func (e *DamagedError) Error() string { return e.Path + ": " + e.Reason }

// StorageError says that the disk or the database refused something. Its text is
// one line.
type StorageError struct {
	Doing string
	Err   error
	// Permanent: trying again does not help or does harm, since the disk is full, or an
	// fsync failed and the kernel has dropped what it could not write.
	Permanent bool
	// MoreMemory: it failed for lack of memory, and Warehouse.Recover gives more.
	MoreMemory bool
}

func (e *StorageError) Error() string { return e.Doing + ": " + oneLine(e.Err) }
func (e *StorageError) Unwrap() error { return e.Err }

// Wrap classifies what DuckDB or the system reported: as a StorageError, which wraps a
// DamagedError if the file itself is damaged.
func Wrap(doing string, err error) error {
	var known *StorageError
	var damaged *DamagedError
	switch {
	case err == nil || errors.As(err, &known):
		return err
	case errors.As(err, &damaged):
		return &StorageError{Doing: doing, Err: damaged, Permanent: true}
	case isDamage(err, damageSigns):
		damaged = &DamagedError{Path: filepath.Join("state", "warehouse.duckdb"), Reason: oneLine(err)}
		return &StorageError{Doing: doing, Err: damaged, Permanent: true}
	}
	return &StorageError{Doing: doing, Err: err, Permanent: contains(err, "No space left on device", "Disk quota exceeded", "fsync")}
}

// OpenError classifies what went wrong when a file was opened: damage is a DamagedError,
// trouble with the disk a StorageError.
func OpenError(path string, err error) error {
	if !isDamage(err, openingSigns) && !isDamage(err, damageSigns) {
		return Wrap("open warehouse", err)
	}
	return &DamagedError{Path: path, Reason: oneLine(err), Newer: contains(err, "newer version of DuckDB", "WAL of version")}
}

// DuckDB has no error type for a damaged file, so its messages decide.
var (
	// troubleSigns are the system's: they are never about a file's content.
	troubleSigns = []string{
		"No space left on device", "Disk quota exceeded", "File too large", "Input/output error", "fsync",
		"Permission denied", "Operation not permitted", "Read-only file system", "Is a directory", "Could not set lock",
		"Too many open files", "Cannot allocate memory", "Out of Memory Error", "failed to pin block",
	}
	memorySigns  = []string{"Out of Memory Error", "failed to pin block"}
	damageSigns  = []string{"orrupt", "does not match stored checksum", "ould not read enough bytes"}
	openingSigns = []string{"not a valid DuckDB database", "version number", "WAL", "ailed to deserialize", "erialization Error", "INTERNAL Error"}
)

func isDamage(err error, signs []string) bool {
	var system syscall.Errno
	return !errors.As(err, &system) && !contains(err, troubleSigns...) && contains(err, signs...)
}

// OutOfMemory reports whether DuckDB lacked memory.
func OutOfMemory(err error) bool { return err != nil && contains(err, memorySigns...) }

// quoted matches paths, which are left out: a folder may have any name.
var quoted = regexp.MustCompile(`"[^"]*"`)

func contains(err error, signs ...string) bool {
	text := quoted.ReplaceAllString(err.Error(), "")
	return slices.ContainsFunc(signs, func(sign string) bool { return strings.Contains(text, sign) })
}

// original finds the first failure of a database that refuses everything since.
var original = regexp.MustCompile(`(?s)database has been invalidated.*Original error: "([^\n]*)"`)

// oneLine leaves out stack traces, and what else failed because of the first
// failure.
func oneLine(err error) string {
	text := err.Error()
	if found := original.FindStringSubmatch(text); found != nil {
		text = found[1]
	}
	line, _, _ := strings.Cut(text, "\n")
	line = strings.TrimPrefix(line, "database/sql/driver: could not connect to database: ")
	return aboutValues.ReplaceAllString(line, "$1 (its text may quote values)")
}

// aboutValues are the errors that are about rows or a statement, and may quote both.
var aboutValues = regexp.MustCompile(`((?:Conversion|Invalid Input|Invalid Type|Mismatch Type|Constraint|Out of Range|Parser|Binder|Catalog|Syntax) Error):.*`)

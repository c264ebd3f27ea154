// Package snapshot publishes flashback.duckdb, the file that analysts open: a
// copy of the private warehouse without its private tables.
//
// The copy is made under a temporary name, finished, fsynced and renamed, so the file is
// complete at every instant and a reader of the old one keeps it. It is read-only for its
// owner too: a program that opens it for writing would change it.
package snapshot

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/flashback-sync/flashback-sync/load/durable"
)

// Name is the published file's name below data_dir.
const Name = "flashback.duckdb"

// Publish copies the private file, which must be closed and checkpointed, to the
// target. It returns a *duckdb.DamagedError if a block of the private file is damaged: what
// rots while a run lasts does not replace what is published.
func Publish(ctx context.Context, private, target string) (err error) {
	if err := refuseLog(private); err != nil {
		return err
	}
	temporary, err := copyBeside(ctx, private, target)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = remove(temporary)
			_ = remove(temporary + ".wal")
		}
	}()
	if err := finish(ctx, temporary, private); err != nil {
		return err
	}
	if err := errors.Join(refuseLog(temporary), remove(temporary+".wal")); err != nil {
		return err
	}
	// The log is removed before, so that no reader opens the new file with it, and after,
	// since a program that has the old file open may have started one in between. What
	// remains is the time between two system calls.
	if _, err := RemoveLog(target); err != nil {
		return err
	}
	if err := durable.InstallReadOnly(temporary, target); err != nil {
		return err
	}
	_, err = RemoveLog(target)
	return err
}

// LogName is the name of a log beside the published file. We write none there, so it was
// written by another program that opened this file, or an earlier one, for writing. DuckDB
// would apply it for every reader.
const LogName = Name + ".wal"

// RemoveLog removes a log beside the published file, and reports whether there was one.
func RemoveLog(target string) (removed bool, err error) {
	switch err := os.Remove(target + ".wal"); {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, err
	}
	return true, durable.SyncDir(filepath.Dir(target))
}

// refuseLog refuses a database with data in its log: the file alone would be an older
// state, or none.
func refuseLog(database string) error {
	switch info, err := os.Lstat(database + ".wal"); {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case info.Size() > 0:
		return fmt.Errorf("%s was not closed: it has a write-ahead log", filepath.Base(database))
	}
	return nil
}

// chunk is how much is copied between two checks of the context.
const chunk = 64 << 20

// copyBeside copies the file to a temporary one beside the target. Where the file system
// supports it, the kernel shares the blocks or copies them itself.
func copyBeside(ctx context.Context, private, target string) (temporary string, err error) {
	info, err := os.Lstat(private)
	if err != nil {
		return "", err
	}
	if !info.Mode().IsRegular() {
		return "", fmt.Errorf("%s is not a plain file", private)
	}
	source, err := durable.Open(private)
	if err != nil {
		return "", err
	}
	defer func() { _ = source.Close() }()
	pending, err := durable.Create(target)
	if err != nil {
		return "", err
	}
	for err == nil {
		if err = ctx.Err(); err == nil {
			_, err = io.CopyN(pending.File, source, chunk)
		}
	}
	if !errors.Is(err, io.EOF) {
		return "", errors.Join(err, pending.Abort())
	}
	if err := pending.Close(); err != nil {
		return "", errors.Join(err, remove(pending.Name()))
	}
	return pending.Name(), nil
}

func remove(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

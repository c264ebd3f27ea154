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

	"github.com/flashback-sync/flashback-sync/load/duckdb"
	"github.com/flashback-sync/flashback-sync/load/durable"
)

// Name is the published file's name below data_dir.
const Name = "flashback.duckdb"

// Publish copies the private file, which must be closed and checkpointed, to the
// target. It returns a *duckdb.DamagedError if a block of the private file is damaged: what
// rots while a run lasts does not replace what is published.
func Publish(ctx context.Context, private, target string) error {
	return publish(private, target, func() (string, error) {
		temporary, err := copyBeside(ctx, private, target)
		if err == nil {
			err = finish(ctx, temporary, private)
		}
		return temporary, err
	})
}

// publish puts a file that write wrote beside the target in its place.
func publish(private, target string, write func() (temporary string, err error)) (err error) {
	if err := duckdb.RemoveEmptyLog(private); err != nil {
		return err
	}
	temporary, err := write()
	defer func() {
		if err != nil && temporary != "" {
			_ = os.Remove(temporary)
			_ = os.Remove(temporary + ".wal")
		}
	}()
	if err == nil {
		err = duckdb.RemoveEmptyLog(temporary)
	}
	if err != nil {
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
	return pending.Name(), pending.Close()
}

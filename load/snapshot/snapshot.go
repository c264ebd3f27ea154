// Package snapshot publishes flashback.duckdb, the file that analysts open: a
// copy of the private warehouse without its private tables.
//
// The copy is made beside its place, finished there, synced and renamed, so the
// file is complete at every instant and a reader who holds the old one keeps it.
package snapshot

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/flashback-sync/flashback-sync/internal/durable"
)

// Name is the published file's name below data_dir.
const Name = "flashback.duckdb"

// finish turns a copy of the private file into the published one, in place.
type finish func(ctx context.Context, path string) error

// Publish copies the private file, which must be closed and checkpointed, to the
// target.
func Publish(ctx context.Context, private, target string, finish finish) (err error) {
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
	if err := finish(ctx, temporary); err != nil {
		return err
	}
	if err := errors.Join(refuseLog(temporary), remove(temporary+".wal")); err != nil {
		return err
	}
	// A tool that opened the old file for writing may have left its log behind;
	// it belongs to that file and must not be applied to the new one.
	if err := remove(target + ".wal"); err != nil {
		return err
	}
	return durable.Install(temporary, target)
}

// refuseLog refuses a database a part of which is still in its log: the file
// alone would be an older state, or none.
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

// chunk is how much is copied between two looks at the context.
const chunk = 64 << 20

// copyBeside copies the file to a temporary one beside the target. On file
// systems that can, the kernel shares the blocks or copies them itself.
func copyBeside(ctx context.Context, private, target string) (temporary string, err error) {
	info, err := os.Lstat(private)
	if err != nil {
		return "", err
	}
	if !info.Mode().IsRegular() {
		return "", fmt.Errorf("%s is not a plain file", private)
	}
	source, err := os.Open(private)
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

// Package snapshot publishes flashback.duckdb, the file that analysts open: a
// copy of the private warehouse without its private tables.
//
// The copy is made beside its place, finished there, synced and renamed, so the
// file is complete at every instant and a reader who holds the old one keeps it.
package snapshot

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"

	"github.com/flashback-sync/flashback-sync/internal/durable"
)

// Name is the published file's name below data_dir.
const Name = "flashback.duckdb"

// finish turns a copy of the private file into the published one, in place.
type finish func(ctx context.Context, path string) error

// Publish copies the private file, which must be closed, to the target.
func Publish(ctx context.Context, private, target string, finish finish) (err error) {
	temporary, err := copyBeside(private, target)
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
	// A tool that opened the old file for writing may have left its log behind;
	// it belongs to that file and must not be applied to the new one.
	if err := remove(target + ".wal"); err != nil {
		return err
	}
	return durable.Install(temporary, target)
}

// copyBeside copies the file to a temporary one beside the target. On file
// systems that can, the kernel shares the blocks or copies them itself.
func copyBeside(private, target string) (temporary string, err error) {
	source, err := os.Open(private) //nolint:gosec // below data_dir
	if err != nil {
		return "", err
	}
	defer func() { _ = source.Close() }()
	pending, err := durable.Create(target)
	if err != nil {
		return "", err
	}
	if _, err := io.Copy(pending.File, source); err != nil {
		return "", errors.Join(err, pending.Abort())
	}
	return pending.Name(), pending.Close()
}

func remove(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

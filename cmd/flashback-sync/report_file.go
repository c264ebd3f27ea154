package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/flashback-sync/flashback-sync/internal/exit"
	"github.com/flashback-sync/flashback-sync/load/durable"
)

// canReceive checks that the file which a flag names could be written, by
// beginning to: what is written there comes only after long work.
func canReceive(flag, path string) error {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return exit.Usage(fmt.Errorf("%s: %s is a folder: name a file in it", flag, path))
	}
	file, err := durable.Create(path)
	if err == nil {
		return file.Abort()
	}
	hint := "name a file in another folder"
	switch {
	case errors.Is(err, fs.ErrNotExist):
		hint = "make that folder, or " + hint
	case errors.Is(err, fs.ErrPermission):
		hint = "make that folder writable, or " + hint
	}
	return exit.WithHint(exit.Usage(fmt.Errorf("%s: no file can be written in %s: %w", flag, filepath.Dir(path), withoutName(err))), hint)
}

// writeFile puts the file which a flag names in its place.
func writeFile(flag, path string, content []byte) error {
	if err := durable.Write(path, content); err != nil {
		return fmt.Errorf("%s: write %s: %w", flag, path, withoutName(err))
	}
	return nil
}

// withoutName is the error without the temporary file's name, which helps nobody.
func withoutName(err error) error {
	var named *fs.PathError
	if errors.As(err, &named) {
		return named.Err
	}
	return err
}

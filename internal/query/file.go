package query

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/flashback-sync/flashback-sync/load/durable"
)

// FormatOf is the format that the name of a file asks for.
func FormatOf(file string) (string, error) {
	switch ending := strings.ToLower(filepath.Ext(file)); ending {
	case ".csv", ".json", ".jsonl", ".parquet", ".arrow", ".xlsx":
		return ending[1:], nil
	case ".ndjson":
		return "jsonl", nil
	case ".feather":
		return "arrow", nil
	case ".txt":
		return "table", nil
	}
	return "", refused("%s: its ending names no format, add --format", file)
}

// ToFile runs the statements and puts the results in a file, which is the old one until
// all are written. It may not lie in dataDir, whose files are not the user's.
func ToFile(ctx context.Context, r Request, target, dataDir string) error {
	return toFile(target, dataDir, func(out Output) error { return Run(ctx, r, out) })
}

func toFile(target, dataDir string, write func(Output) error) (err error) {
	if err := mayWrite(target, dataDir); err != nil {
		return err
	}
	file, err := durable.Create(target)
	if err != nil {
		return fmt.Errorf("write %s: %w", target, err)
	}
	defer func() { err = errors.Join(err, file.Abort()) }()
	path, err := filepath.Abs(file.Name())
	if err != nil {
		return err
	}
	if err := write(Output{Writer: file, Path: path}); err != nil {
		return err
	}
	return file.Commit()
}

// sizeOf is the size of a file, 0 if it is not there.
func sizeOf(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}

func mayWrite(target, dataDir string) error {
	if info, err := os.Lstat(target); err == nil && !info.Mode().IsRegular() {
		return refused("%s is no ordinary file", target)
	}
	data, err := os.Stat(dataDir)
	if err != nil {
		return err
	}
	folder, err := filepath.Abs(filepath.Dir(target))
	if err == nil {
		folder, err = filepath.EvalSymlinks(folder)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return refused("%s: its folder does not exist", target)
	}
	if err != nil {
		return err
	}
	for ; ; folder = filepath.Dir(folder) {
		if info, err := os.Stat(folder); err == nil && os.SameFile(info, data) {
			return refused("%s is in data_dir, choose another folder", target)
		}
		if folder == filepath.Dir(folder) {
			return nil
		}
	}
}

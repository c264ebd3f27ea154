package durable

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"syscall"
)

// errNotPlain says that something else is in the place of a file.
var errNotPlain = errors.New("not a plain file: remove it")

// CheckPlain refuses what is there and is no plain file: a pipe would let whoever opens
// it wait indefinitely.
func CheckPlain(path string) error {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return &fs.PathError{Op: "open", Path: path, Err: errNotPlain}
	}
	return nil
}

// Open opens a plain file for reading, and refuses anything else.
func Open(path string) (*os.File, error) {
	if err := CheckPlain(path); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0) // it may have become a pipe
	if err != nil {
		return nil, err
	}
	if info, err := file.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, errors.Join(&fs.PathError{Op: "open", Path: path, Err: errNotPlain}, err, file.Close())
	}
	return file, nil
}

// ReadFile reads a plain file, and refuses anything else.
func ReadFile(path string) ([]byte, error) {
	file, err := Open(path)
	if err != nil {
		return nil, err
	}
	content, err := io.ReadAll(file)
	return content, errors.Join(err, file.Close())
}

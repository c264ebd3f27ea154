package durable

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// Place is the path of a file of ours below a folder, its name written with slashes. It
// refuses a path with a link in it, and anything but a plain file: a link would lead to
// someone else's file, and opening a pipe would block. The file may be missing. The folder
// itself may be a link: that is the operator's choice.
func Place(dir, name string) (string, error) {
	place := filepath.Join(dir, filepath.FromSlash(name))
	if err := CheckFolders(dir, path.Dir(name)); err != nil {
		return "", err
	}
	switch info, err := os.Lstat(place); {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return "", err
	case !info.Mode().IsRegular():
		return "", NotPlain(place, "file")
	}
	return place, nil
}

// CheckFolders refuses a path below a folder with anything in it but folders, as far as it
// exists.
func CheckFolders(dir, name string) error {
	if name == "." {
		return nil
	}
	for part := range strings.SplitSeq(name, "/") {
		dir = filepath.Join(dir, part)
		switch info, err := os.Lstat(dir); {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil:
			return err
		case !info.IsDir():
			return NotPlain(dir, "folder")
		}
	}
	return nil
}

// NotPlain is the error for something else in the place of a file or folder of ours.
func NotPlain(path, wanted string) error {
	return fmt.Errorf("%s is not a plain %s: remove it (inside data_dir no link is followed)", path, wanted)
}

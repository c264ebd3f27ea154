package durable

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Place is the path of a file of ours below a folder, its name written with slashes. It
// refuses a path with a link in it, and anything but a plain file: a link would lead to
// someone else's file, and opening a pipe would block. The file may be missing. The folder
// itself may be a link: that is the operator's choice.
func Place(dir, name string) (string, error) {
	parts := strings.Split(name, "/")
	path := dir
	for i, part := range parts {
		path = filepath.Join(path, part)
		info, err := os.Lstat(path)
		last := i == len(parts)-1
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return filepath.Join(dir, filepath.FromSlash(name)), nil
		case err != nil:
			return "", err
		case last && !info.Mode().IsRegular(), !last && !info.IsDir():
			return "", NotPlain(path, kind(last))
		}
	}
	return path, nil
}

// NotPlain is the error for something else in the place of a file or folder of ours.
func NotPlain(path, wanted string) error {
	return fmt.Errorf("%s is not a plain %s: remove it (inside data_dir no link is followed)", path, wanted)
}

func kind(last bool) string {
	if last {
		return "file"
	}
	return "folder"
}

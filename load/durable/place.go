package durable

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Place is where a file of ours lies below a folder, its name written with
// slashes. It refuses a path that leads through a link, and anything there that is
// no plain file: a link would take us to someone else's file, and a pipe would let
// us wait for ever. What is not there is no mistake. The folder itself may be a
// link: that is the operator's choice.
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
			return "", fmt.Errorf("%s is not a plain %s: remove it (inside data_dir no link is followed)", path, kind(last))
		}
	}
	return path, nil
}

func kind(last bool) string {
	if last {
		return "file"
	}
	return "folder"
}

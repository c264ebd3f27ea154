package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"regexp"
	"strconv"

	"github.com/flashback-sync/flashback-sync/internal/visible"
	"github.com/flashback-sync/flashback-sync/load/duckdb"
)

// storageHint says what to do about a disk or database that refused, by its cause.
func storageHint(err *duckdb.StorageError) string {
	const safe = "; committed data is safe, and the next run goes on from there"
	switch err.Cause() {
	case duckdb.CauseFull:
		return "free disk space, or move data_dir to a larger disk" + safe
	case duckdb.CausePermission:
		return permissionHint(err) + safe
	case duckdb.CauseReadOnly:
		return "the file system is mounted read-only: mount it for writing, or set data_dir to another folder" + safe
	case duckdb.CauseInUse:
		return "another program has the file open for writing: close it there, and open it read-only"
	case duckdb.CauseNotOurs:
		return "'flashback-sync repair' publishes it again"
	case duckdb.CauseDisk:
		return "the disk fails: look at the kernel's log, and move data_dir to another disk" + safe
	case duckdb.CauseMemory:
		return "free memory, or raise the memory limit of the container or unit" + safe
	case duckdb.CauseUnknown:
	}
	return "check data_dir, its disk and its permissions" + safe
}

// permissionHint names who may and who may not.
func permissionHint(err error) string {
	path := pathOf(err)
	for owner, known := ownerOf(path); path != ""; owner, known = ownerOf(path) {
		if !known { // it is not there, or not to be seen
			if parent := filepath.Dir(path); parent != path {
				path = parent
				continue
			}
			break
		}
		if owner == os.Geteuid() {
			return fmt.Sprintf("%s is yours, and its mode forbids it: change the mode (chmod)", visible.Short(path, 300))
		}
		return fmt.Sprintf("%s belongs to %s, you are %s: run it as %[2]s, or change the owner", visible.Short(path, 300), userName(owner), userName(os.Geteuid()))
	}
	return "change the permissions of data_dir"
}

// quotedPath is a path as DuckDB quotes it.
var quotedPath = regexp.MustCompile(`"(/[^"]*)"`)

// pathOf is the file that an error is about, "" if it names none.
func pathOf(err error) string {
	var file *fs.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &file):
		return file.Path
	case errors.As(err, &link):
		return filepath.Dir(link.New)
	}
	if quoted := quotedPath.FindStringSubmatch(err.Error()); quoted != nil {
		return quoted[1]
	}
	return ""
}

// userName is the name of a user, or its number.
func userName(uid int) string {
	if known, err := user.LookupId(strconv.Itoa(uid)); err == nil {
		return known.Username
	}
	return "#" + strconv.Itoa(uid)
}

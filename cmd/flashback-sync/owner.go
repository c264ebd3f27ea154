package main

import (
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// refuseRoot refuses to write as root in a data_dir of somebody else: the files would
// be root's, and the runs of its owner would end with 6 from then on.
func refuseRoot(dataDir string) error {
	owner, foreign := foreignOwner(os.Geteuid(), dataDir)
	if !foreign {
		return nil
	}
	name := userName(owner)
	return &hinted{
		usage(fmt.Errorf("data_dir %s belongs to %s, and this is root, whose files %s could not replace", dataDir, name, name)),
		"run it as that user: sudo -u '" + name + "' flashback-sync, with the same variables (--preserve-env)",
	}
}

// foreignOwner is who owns a data_dir, or what runs have made in it, if that is not
// root and the process is.
func foreignOwner(euid int, dataDir string) (uid int, foreign bool) {
	if euid != 0 {
		return 0, false
	}
	for _, path := range []string{dataDir, filepath.Join(dataDir, "state")} {
		if uid, known := ownerOf(path); known && uid != 0 {
			return uid, true
		}
	}
	return 0, false
}

// ownerOf is the user id that a file belongs to.
func ownerOf(path string) (uid int, known bool) {
	info, err := os.Stat(path)
	if err != nil {
		return 0, false
	}
	return int(info.Sys().(*syscall.Stat_t).Uid), true
}

// userName is the name of a user, or its number.
func userName(uid int) string {
	if known, err := user.LookupId(strconv.Itoa(uid)); err == nil {
		return known.Username
	}
	return "#" + strconv.Itoa(uid)
}

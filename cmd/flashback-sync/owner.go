package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/flashback-sync/flashback-sync/internal/exit"
)

// refuseRoot refuses to write as root in a data_dir of somebody else: the files would
// be root's, and the runs of its owner would end with 6 from then on.
func refuseRoot(dataDir string) error {
	owner, foreign := foreignOwner(os.Geteuid(), dataDir)
	if !foreign {
		return nil
	}
	name := exit.UserName(owner)
	return exit.WithHint(
		exit.Usage(fmt.Errorf("data_dir %s belongs to %s, and this is root, whose files %s could not replace", dataDir, name, name)),
		"run it as that user: sudo -u '"+name+"' flashback-sync, with the same variables (--preserve-env)",
	)
}

// foreignOwner is who owns a data_dir, or what runs have made in it, if that is not
// root and the process is.
func foreignOwner(euid int, dataDir string) (uid int, foreign bool) {
	if euid != 0 {
		return 0, false
	}
	for _, path := range []string{dataDir, filepath.Join(dataDir, "state")} {
		if uid, known := exit.OwnerOf(path); known && uid != 0 {
			return uid, true
		}
	}
	return 0, false
}

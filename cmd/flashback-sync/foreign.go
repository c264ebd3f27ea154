package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/flashback-sync/flashback-sync/load/snapshot"
)

// removeForeignLog removes the log of a program that opened the published file for
// writing: every reader would see what it wrote. A run does so, too, but may be hours
// away.
func (s *server) removeForeignLog() {
	c, _ := s.present()
	removed, err := snapshot.RemoveLog(filepath.Join(c.DataDir, snapshot.Name))
	switch {
	case err != nil:
		s.log.Error().Err(err).Msg(snapshot.LogName + " cannot be removed: readers may see what another program wrote")
	case removed:
		s.log.Warn().Msg(snapshot.LogName + " was removed: a program opened " + snapshot.Name + " for writing; open it read-only")
	}
}

// warnOfForeignLog warns that DuckDB applies such a log to what it reads.
func (a *app) warnOfForeignLog(dataDir string) {
	if _, err := os.Lstat(filepath.Join(dataDir, snapshot.LogName)); err == nil {
		fmt.Fprintln(a.stderr, "warning: "+snapshot.LogName+" is there: the result may contain what another program wrote; 'flashback-sync sync' removes it")
	}
}

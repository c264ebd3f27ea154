package serve

import (
	"path/filepath"

	"github.com/flashback-sync/flashback-sync/load/snapshot"
)

// removeForeignLog removes the log of a program that opened the published file for
// writing: every reader would see what it wrote. A run removes it too, but the next
// one may be hours away.
func (s *Server) removeForeignLog() {
	removed, err := snapshot.RemoveLog(filepath.Join(s.options.Place.dataDir, snapshot.Name))
	switch {
	case err != nil:
		s.log.Error().Err(err).Msg(snapshot.LogName + " cannot be removed: readers may see what another program wrote")
	case removed:
		s.log.Warn().Msg(snapshot.LogName + " was removed: a program opened " + snapshot.Name + " for writing; open it read-only")
	}
}

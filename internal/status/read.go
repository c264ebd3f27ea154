package status

import (
	"time"

	"github.com/flashback-sync/flashback-sync/internal/journal"
)

// Read gathers what a data_dir knows without DuckDB: how runs went, and the run
// under way. The caller adds the rest.
func Read(dataDir string, at time.Time) (*Status, error) {
	noted, err := journal.Read(dataDir)
	if err != nil {
		return nil, err
	}
	progress, err := journal.ReadProgress(dataDir)
	if err != nil {
		return nil, err
	}
	return &Status{At: at.UTC(), Journal: *noted, Progress: progress, Published: lookAtPublished(dataDir)}, nil
}

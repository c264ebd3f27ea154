package status

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/dustin/go-humanize/english"

	noted "github.com/flashback-sync/flashback-sync/internal/published"
	"github.com/flashback-sync/flashback-sync/load/snapshot"
)

// Published is how the published files compare with what was published, by what the
// system says of them: nothing is read.
type Published struct {
	// Altered are files that somebody changed or removed, by path below data_dir.
	Altered []string `json:"altered_files,omitempty"`
	// ForeignLog: beside flashback.duckdb lies the log of a program that opened it, or an
	// earlier one in its place, for writing.
	ForeignLog bool `json:"foreign_log,omitempty"`
}

// lookAtPublished compares the published files with what was published. While a run may
// be replacing them nothing can be said of them.
func lookAtPublished(dataDir string) (p Published) {
	_, err := os.Lstat(filepath.Join(dataDir, snapshot.LogName))
	p.ForeignLog = err == nil
	p.Altered = noted.Altered(dataDir)
	return p
}

func (p Published) problems() (all []Problem) {
	const subject, shown = "published files", 3
	if n := len(p.Altered); n > 0 {
		names := strings.Join(p.Altered[:min(n, shown)], ", ")
		if n > shown {
			names += ", …"
		}
		all = append(all, Problem{
			Level: Bad, Subject: subject, Text: fmt.Sprintf("%s not as published: %s", english.Plural(n, "file is", "files are"), names),
			Hint: "'flashback-sync sync' publishes again what was changed; open published files read-only",
		})
	}
	if p.ForeignLog {
		all = append(all, Problem{
			Level: Bad, Subject: subject, Text: snapshot.LogName + " is there: readers may see what another program wrote",
			Hint: "'flashback-sync sync' removes it; open " + snapshot.Name + " read-only",
		})
	}
	return all
}

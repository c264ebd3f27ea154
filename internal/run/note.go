package run

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/dustin/go-humanize/english"

	"github.com/flashback-sync/flashback-sync/internal/published"
	"github.com/flashback-sync/flashback-sync/load/duckdb"
	"github.com/flashback-sync/flashback-sync/load/durable"
	"github.com/flashback-sync/flashback-sync/load/lake"
	"github.com/flashback-sync/flashback-sync/load/snapshot"
)

// note remembers how the system describes what is published.
func (r *run) note(done lake.Result) error {
	note := &published.Note{Files: map[string]durable.Identity{}}
	for path, identity := range done.Intact {
		note.Files["lake/"+path] = identity
	}
	note.Views = map[string]string{}
	for _, view := range r.options.Views {
		note.Views[view.Path()] = view.Digest()
	}
	for _, path := range append(r.duckDBFiles(), manifestPath) {
		if identity, there := durable.Identify(filepath.Join(r.options.DataDir, filepath.FromSlash(path))); there {
			note.Files[path] = identity
		}
	}
	content, err := durable.ReadFile(filepath.Join(r.options.DataDir, filepath.FromSlash(manifestPath)))
	if err != nil {
		return err
	}
	note.Manifest = published.Sum(content)
	return note.Write(r.options.DataDir)
}

// altered lists what is not what was published, beside the files that the manifest
// describes. After a crash the note may be older than what it describes.
func (r *run) altered(note *published.Note) (paths []string) {
	if note == nil || r.crashed {
		return nil
	}
	if !note.SameManifest(r.options.DataDir, manifestPath) {
		paths = append(paths, manifestPath)
	}
	for _, path := range r.duckDBFiles() {
		if _, noted := note.Files[path]; noted && !note.Same(r.options.DataDir, path) {
			paths = append(paths, path)
		}
	}
	return paths
}

// duckDBFiles are the published DuckDB files, below data_dir.
func (r *run) duckDBFiles() (paths []string) {
	if r.options.PublishDuckDB {
		paths = append(paths, snapshot.Name)
	}
	for _, view := range r.options.Views {
		paths = append(paths, view.Path())
	}
	return paths
}

// warnAltered reports what somebody else had changed and is published again.
func (r *run) warnAltered(altered, inLake []string) {
	for _, path := range inLake {
		altered = append(altered, "lake/"+path)
	}
	if len(altered) == 0 {
		return
	}
	const shown = 5
	why, more := "somebody changed or removed it", ""
	if r.crashed {
		why = "a run was killed while it published, or somebody changed it"
	}
	if len(altered) > shown {
		more = ", …"
	}
	r.warn("", fmt.Sprintf("published again, since %s: %s (%s%s)",
		why, english.Plural(len(altered), "file", ""), strings.Join(altered[:min(len(altered), shown)], ", "), more))
}

// removeForeignLog removes the log of a program that opened the published file for
// writing: DuckDB would apply it for every reader.
func (r *run) removeForeignLog() error {
	removed, err := snapshot.RemoveLog(r.snapshotPath())
	if err != nil {
		return &duckdb.StorageError{Doing: "remove " + snapshot.LogName, Err: err}
	}
	if removed {
		r.warn("", snapshot.LogName+" was removed: a program opened "+snapshot.Name+" for writing; open it read-only")
	}
	return nil
}

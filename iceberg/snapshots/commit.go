package snapshots

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"github.com/apache/iceberg-go"
	icebergio "github.com/apache/iceberg-go/io"
	"github.com/apache/iceberg-go/table"
	"github.com/google/uuid"
)

// committer is the part of a catalog that Commit needs.
type committer interface {
	CommitTable(context.Context, table.Identifier, []table.Requirement, []table.Update) (table.Metadata, string, error)
}

// Change is what a snapshot changes for one organisation.
type Change struct {
	Generation int64
	Replace    map[int32]bool     // periods whose files go
	Add        []iceberg.DataFile // files that come
	Summary    map[string]string
}

// mergeAbove is the number of small manifests of one organisation from which on a commit
// merges them, so that their number does not grow with every push.
const (
	mergeAbove = 10
	smallBytes = 1 << 20
)

// Commit makes the next snapshot on top of the one that was read. It fails without an effect if
// another writer was faster; after any other failure of the catalog the outcome is unknown.
func (l *Live) Commit(ctx context.Context, cat committer, change Change) (int64, error) {
	s, err := l.stage(change)
	if err != nil {
		return 0, err
	}
	updates := []table.Update{table.NewSetPropertiesUpdate(iceberg.Properties{
		GenerationKey(l.Org): strconv.FormatInt(change.Generation, 10),
	})}
	if s.snapshot != nil {
		updates = append(updates, table.NewAddSnapshotUpdate(s.snapshot),
			table.NewSetSnapshotRefUpdate(table.MainBranch, s.snapshot.SnapshotID, table.BranchRef, 0, 0, 0))
	}
	var parent *int64
	if current := l.Table.CurrentSnapshot(); current != nil {
		parent = &current.SnapshotID
	}
	requirements := []table.Requirement{
		table.AssertTableUUID(l.Table.Metadata().TableUUID()),
		table.AssertRefSnapshotID(table.MainBranch, parent),
	}
	if _, _, err := cat.CommitTable(ctx, l.Table.Identifier(), requirements, updates); err != nil {
		return 0, &CommitError{err, s.discard}
	}
	if s.snapshot == nil {
		return 0, nil
	}
	return s.snapshot.SnapshotID, nil
}

// CommitError is a commit that the catalog did not confirm. Discard removes the metadata that
// was written for it, and may be called only if the commit certainly had no effect.
type CommitError struct {
	Err     error
	Discard func()
}

func (e *CommitError) Error() string { return e.Err.Error() }
func (e *CommitError) Unwrap() error { return e.Err }

// stage writes the manifests and the manifest list of the next snapshot.
type stage struct {
	live     *Live
	location table.LocationProvider
	id       int64
	uuid     uuid.UUID
	snapshot *table.Snapshot
	written  []string
	counts   map[string]int64
}

func (l *Live) stage(change Change) (_ *stage, err error) {
	s := &stage{live: l, id: rand.Int64(), uuid: uuid.New(), counts: map[string]int64{}} //nolint:gosec // an identifier
	if len(change.Add) == 0 && len(change.Replace) == 0 {
		return s, nil // only the generation
	}
	if s.location, err = l.Table.LocationProvider(); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			s.discard()
		}
	}()
	manifests, err := s.kept(change.Replace)
	if err != nil {
		return nil, err
	}
	if len(change.Add) > 0 {
		added, err := s.added(change.Add)
		if err != nil {
			return nil, err
		}
		manifests = append([]iceberg.ManifestFile{added}, manifests...)
	}
	return s, s.list(manifests, change)
}

// kept are the manifests that the snapshot inherits. Those with files that go are written
// anew; those without a file are dropped; many small ones of the organisation become one.
func (s *stage) kept(replace map[int32]bool) ([]iceberg.ManifestFile, error) {
	var kept []iceberg.ManifestFile
	var small []iceberg.ManifestEntry
	merge := s.manySmall()
	for _, m := range s.live.manifests {
		stay, leave, err := s.split(m.entries, replace)
		switch {
		case err != nil:
			return nil, err
		case merge && m.small() && int(m.file.PartitionSpecID()) == s.defaultSpec() && len(leave) == 0:
			small = append(small, stay...)
		case len(leave) > 0:
			written, err := s.write(m.file.ManifestContent(), int(m.file.PartitionSpecID()), func(w *iceberg.ManifestWriter) error {
				return errors.Join(each(stay, w.Existing), each(leave, w.Delete))
			})
			if err != nil {
				return nil, err
			}
			kept = append(kept, written)
		case m.file.HasAddedFiles() || m.file.HasExistingFiles():
			kept = append(kept, m.file)
		}
	}
	if len(small) == 0 {
		return kept, nil
	}
	written, err := s.write(iceberg.ManifestContentData, s.defaultSpec(), func(w *iceberg.ManifestWriter) error {
		return each(small, w.Existing)
	})
	return append(kept, written), err
}

func (m manifest) small() bool {
	return m.mine && m.file.ManifestContent() == iceberg.ManifestContentData && m.file.Length() < smallBytes
}

func (s *stage) defaultSpec() int { return s.live.Table.Metadata().DefaultPartitionSpec() }

func (s *stage) manySmall() bool {
	n := 0
	for _, m := range s.live.manifests {
		if m.small() && int(m.file.PartitionSpecID()) == s.defaultSpec() {
			n++
		}
	}
	return n > mergeAbove
}

// split divides a manifest's entries into those that stay and those that leave.
func (s *stage) split(entries []iceberg.ManifestEntry, replace map[int32]bool) (stay, leave []iceberg.ManifestEntry, err error) {
	for _, entry := range entries {
		file := entry.DataFile()
		period, mine, err := s.live.periodOf(file)
		if err != nil {
			return nil, nil, err
		}
		if !mine || !replace[period] {
			stay = append(stay, entry)
			continue
		}
		leave = append(leave, entry)
		s.count("removed-files-size", file.FileSizeBytes())
		if file.ContentType() == iceberg.EntryContentData {
			s.count("deleted-data-files", 1)
			s.count("deleted-records", file.Count())
		} else {
			s.count("removed-delete-files", 1)
		}
	}
	return stay, leave, nil
}

func (s *stage) count(key string, n int64) { s.counts[key] += n }

func each(entries []iceberg.ManifestEntry, do func(iceberg.ManifestEntry) error) error {
	for _, entry := range entries {
		if err := do(entry); err != nil {
			return err
		}
	}
	return nil
}

// added writes the manifest of the files that come.
func (s *stage) added(files []iceberg.DataFile) (iceberg.ManifestFile, error) {
	for _, file := range files {
		s.count("added-data-files", 1)
		s.count("added-records", file.Count())
		s.count("added-files-size", file.FileSizeBytes())
	}
	return s.write(iceberg.ManifestContentData, int(files[0].SpecID()), func(w *iceberg.ManifestWriter) error {
		for _, file := range files {
			if err := w.Add(iceberg.NewManifestEntry(iceberg.EntryStatusADDED, &s.id, nil, nil, file)); err != nil {
				return err
			}
		}
		return nil
	})
}

// write writes one manifest.
func (s *stage) write(content iceberg.ManifestContent, spec int, fill func(*iceberg.ManifestWriter) error) (_ iceberg.ManifestFile, err error) {
	meta := s.live.Table.Metadata()
	specs := meta.PartitionSpecs()
	i := slices.IndexFunc(specs, func(candidate iceberg.PartitionSpec) bool { return candidate.ID() == spec })
	if i < 0 {
		return nil, fmt.Errorf("the table has no partition spec %d", spec)
	}
	location := s.location.NewMetadataLocation(fmt.Sprintf("%s-m%d.avro", s.uuid, len(s.written)))
	out, err := s.create(location)
	if err != nil {
		return nil, err
	}
	counter := &counting{to: out}
	w, err := iceberg.NewManifestWriter(meta.Version(), counter, specs[i], meta.CurrentSchema(), s.id, iceberg.WithManifestWriterContent(content))
	if err == nil {
		err = fill(w)
	}
	if err == nil {
		err = w.Close()
	}
	if err = errors.Join(err, out.Close()); err != nil {
		return nil, fmt.Errorf("write manifest: %w", err)
	}
	return w.ToManifestFile(location, counter.n, iceberg.WithManifestFileContent(content))
}

func (s *stage) create(location string) (icebergio.FileWriter, error) {
	s.written = append(s.written, location)
	return s.live.Files.Create(location)
}

// list writes the manifest list and describes the snapshot.
func (s *stage) list(manifests []iceberg.ManifestFile, change Change) (err error) {
	meta := s.live.Table.Metadata()
	sequence, schema := meta.LastSequenceNumber()+1, meta.CurrentSchema().ID
	snapshot := &table.Snapshot{
		SnapshotID: s.id, SequenceNumber: sequence, TimestampMs: time.Now().UnixMilli(), SchemaID: &schema,
		ManifestList: s.location.NewMetadataLocation(fmt.Sprintf("snap-%d-0-%s.avro", s.id, s.uuid)),
		Summary:      s.summary(change),
	}
	if parent := meta.CurrentSnapshot(); parent != nil {
		snapshot.ParentSnapshotID = &parent.SnapshotID
		// Another writer's clock may be ahead; snapshots are in the order of their times.
		snapshot.TimestampMs = max(snapshot.TimestampMs, parent.TimestampMs+1)
	}
	out, err := s.create(snapshot.ManifestList)
	if err != nil {
		return err
	}
	err = iceberg.WriteManifestList(meta.Version(), out, s.id, snapshot.ParentSnapshotID, &sequence, 0, manifests)
	if err := errors.Join(err, out.Close()); err != nil {
		return fmt.Errorf("write manifest list: %w", err)
	}
	s.snapshot = snapshot
	return nil
}

// summary is the snapshot's summary: what Iceberg wants to know, and where the rows are from.
func (s *stage) summary(change Change) *table.Summary {
	operation := table.OpOverwrite
	switch {
	case s.counts["deleted-data-files"]+s.counts["removed-delete-files"] == 0:
		operation = table.OpAppend
	case len(change.Add) == 0:
		operation = table.OpDelete
	}
	props := iceberg.Properties{}
	maps.Copy(props, change.Summary)
	for key, n := range s.counts {
		props[key] = strconv.FormatInt(n, 10)
	}
	previous := iceberg.Properties{}
	parent := s.live.Table.CurrentSnapshot()
	if parent != nil && parent.Summary != nil {
		previous = parent.Summary.Properties
	}
	for total, parts := range map[string][2]string{
		"total-data-files":   {"added-data-files", "deleted-data-files"},
		"total-delete-files": {"", "removed-delete-files"},
		"total-records":      {"added-records", "deleted-records"},
		"total-files-size":   {"added-files-size", "removed-files-size"},
	} {
		// Without a total in the parent's summary there is none: readers may trust it.
		if before, err := strconv.ParseInt(previous[total], 10, 64); err == nil || parent == nil {
			props[total] = strconv.FormatInt(before+s.counts[parts[0]]-s.counts[parts[1]], 10)
		}
	}
	for _, total := range []string{"total-position-deletes", "total-equality-deletes"} {
		if parent == nil {
			props[total] = "0"
		} else if previous[total] == "0" {
			props[total] = "0"
		}
	}
	return &table.Summary{Operation: operation, Properties: props}
}

// discard removes what was written for a snapshot that will not be.
func (s *stage) discard() {
	for _, location := range s.written {
		_ = s.live.Files.Remove(location) // otherwise an orphan, which maintain removes
	}
}

// counting counts the bytes of a manifest.
type counting struct {
	to icebergio.FileWriter
	n  int64
}

func (c *counting) Write(p []byte) (int, error) {
	n, err := c.to.Write(p)
	c.n += int64(n)
	return n, err
}

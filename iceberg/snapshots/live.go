// Package snapshots reads what the current snapshot of a table stores for one organisation,
// and commits the next snapshot: some partitions of that organisation replaced, all else kept.
//
// It writes manifests itself, since iceberg-go's overwrite reads every manifest of the table
// three times, and more often after a conflict (ADR 32). Here the cost depends on the
// organisation's own manifests.
package snapshots

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/apache/iceberg-go"
	icebergio "github.com/apache/iceberg-go/io"
	"github.com/apache/iceberg-go/table"
	"golang.org/x/sync/errgroup"

	"github.com/flashback-sync/flashback-sync/iceberg/tables"
)

// NoPeriod is the period of tables without one.
const NoPeriod int32 = 0

// Partition is what a table stores for one period of the organisation.
type Partition struct {
	Hash  string // of the lake file that it is a copy of; "" if it is not exactly that
	Rows  int64
	Files []iceberg.DataFile
}

// Live is what a snapshot stores for one organisation.
type Live struct {
	Table      *table.Table
	Org        string
	Files      storage // opened once: with some clouds each opening is a request for a token
	Generation int64   // of the manifest that changed the organisation's rows last
	Partitions map[int32]*Partition

	manifests []manifest
}

// manifest is a manifest of the snapshot; entries were read if it may have the organisation's.
type manifest struct {
	file    iceberg.ManifestFile
	entries []iceberg.ManifestEntry
	mine    bool // it has nothing of another organisation
}

// storage is what all of iceberg-go's file systems can do.
type storage interface {
	icebergio.WriteFileIO
	icebergio.ListableIO
}

// GenerationKey is the table property with an organisation's generation.
func GenerationKey(org string) string { return "flashback.generation." + org }

const readers = 8

// Read reads the current snapshot of a table.
func Read(ctx context.Context, tbl *table.Table, org string) (*Live, error) {
	files, err := tbl.FS(ctx)
	if err != nil {
		return nil, err
	}
	writable, ok := files.(storage)
	if !ok {
		return nil, errors.New("the storage cannot be written to and listed")
	}
	live := &Live{Table: tbl, Org: org, Files: writable, Partitions: map[int32]*Partition{}}
	if text := tbl.Properties()[GenerationKey(org)]; text != "" {
		generation, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("table property %s is not a number: %q", GenerationKey(org), text)
		}
		live.Generation = generation
	}
	snapshot := tbl.CurrentSnapshot()
	if snapshot == nil {
		return live, nil
	}
	list, err := snapshot.Manifests(files)
	if err != nil {
		return nil, fmt.Errorf("read manifest list: %w", err)
	}
	live.manifests = make([]manifest, len(list))
	group, _ := errgroup.WithContext(ctx)
	group.SetLimit(readers)
	for i, file := range list {
		live.manifests[i] = manifest{file: file}
		lowest, highest, known := orgBounds(file)
		if known && (org < lowest || org > highest) {
			continue
		}
		live.manifests[i].mine = known && lowest == org && highest == org
		group.Go(func() (err error) {
			live.manifests[i].entries, err = readEntries(files, file)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return live, live.collect()
}

func readEntries(files icebergio.IO, file iceberg.ManifestFile) (entries []iceberg.ManifestEntry, err error) {
	for entry, err := range file.Entries(files, true) {
		if err != nil {
			return nil, fmt.Errorf("read manifest %s: %w", file.FilePath(), err)
		}
		entries = append(entries, entry)
	}
	return entries, nil
}

// orgBounds are the first and the last organisation that a manifest has files of.
func orgBounds(file iceberg.ManifestFile) (lowest, highest string, known bool) {
	fields := file.Partitions()
	if len(fields) == 0 || fields[0].LowerBound == nil || fields[0].UpperBound == nil || fields[0].ContainsNull {
		return "", "", false
	}
	return string(bytes.Clone(*fields[0].LowerBound)), string(bytes.Clone(*fields[0].UpperBound)), true
}

// collect sorts the organisation's files by partition, and finds out which partitions are
// exact copies of lake files.
func (l *Live) collect() error {
	changed := map[int32]bool{} // partitions that another program changed by delete files
	for _, m := range l.manifests {
		for _, entry := range m.entries {
			file := entry.DataFile()
			period, mine, err := l.periodOf(file)
			switch {
			case err != nil:
				return err
			case !mine:
				continue
			case file.ContentType() != iceberg.EntryContentData:
				changed[period] = true
				continue
			}
			p := l.Partitions[period]
			if p == nil {
				p = &Partition{}
				l.Partitions[period] = p
			}
			p.Files = append(p.Files, file)
			p.Rows += file.Count()
		}
	}
	for period, p := range l.Partitions {
		if !changed[period] {
			p.Hash = hashOf(p.Files)
		}
	}
	return nil
}

// hashOf is the hash that all files of a partition agree on, "" if one is of another program
// or another run.
func hashOf(files []iceberg.DataFile) string {
	first, ours := ParseName(files[0].FilePath())
	for _, file := range files {
		name, known := ParseName(file.FilePath())
		if !known || name.Hash != first.Hash || name.Run != first.Run {
			return ""
		}
	}
	if !ours {
		return ""
	}
	return first.Hash
}

// periodOf is the period of a file, and whether it is the organisation's.
func (l *Live) periodOf(file iceberg.DataFile) (period int32, mine bool, err error) {
	org, known := file.Partition()[tables.OrgField].(string)
	if !known {
		return 0, false, fmt.Errorf("%s has no organisation in its partition: the table's partition spec was changed, or another program wrote it", file.FilePath())
	}
	if org != l.Org {
		return 0, false, nil
	}
	period, err = PeriodOf(file)
	return period, true, err
}

// PeriodOf is the period in a file's partition.
func PeriodOf(file iceberg.DataFile) (int32, error) {
	switch value := file.Partition()[tables.PeriodField].(type) {
	case nil:
		return NoPeriod, nil
	case int32:
		return value, nil
	case iceberg.Date:
		return int32(value), nil
	case int:
		return int32(value), nil
	default:
		return 0, fmt.Errorf("%s has a partition value of type %T", file.FilePath(), value)
	}
}

package audit

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/apache/iceberg-go/catalog"

	"github.com/flashback-sync/flashback-sync/iceberg/datafiles"
	"github.com/flashback-sync/flashback-sync/iceberg/lake"
	"github.com/flashback-sync/flashback-sync/iceberg/snapshots"
	"github.com/flashback-sync/flashback-sync/iceberg/tables"
)

// Status is the state of the tables for one organisation.
type Status struct {
	Org        string        `json:"org"`
	Generation int64         `json:"lake_generation"`
	UpToDate   bool          `json:"up_to_date"`
	Tables     []TableStatus `json:"tables"`
}

// TableStatus is the state of one table.
type TableStatus struct {
	Name       string           `json:"name"`
	Exists     bool             `json:"exists"`
	Generation int64            `json:"generation"` // of the manifest that changed the rows last
	Pending    int              `json:"pending"`    // partitions that differ from the lake
	Partitions int              `json:"partitions"`
	Files      int              `json:"files"`
	Rows       int64            `json:"rows"`
	Bytes      int64            `json:"bytes"`
	Snapshots  int              `json:"snapshots"` // of all organisations
	LastCommit *time.Time       `json:"last_commit,omitempty"`
	LastRun    string           `json:"last_run_id,omitempty"` // of any organisation
	Orgs       map[string]int64 `json:"orgs"`                  // generation of each organisation
	Location   string           `json:"location,omitempty"`
}

// ReadStatus reads metadata and manifests, no rows.
func ReadStatus(ctx context.Context, o Options) (*Status, error) {
	manifest, err := o.Lake.Manifest()
	if err != nil {
		return nil, err
	}
	declared, err := tables.Of(manifest)
	if err != nil {
		return nil, err
	}
	status := &Status{Org: o.Org, Generation: manifest.Generation, UpToDate: true}
	for _, t := range declared {
		s, err := tableStatus(ctx, o, manifest, t)
		if err != nil {
			return nil, err
		}
		status.UpToDate = status.UpToDate && s.Pending == 0
		status.Tables = append(status.Tables, s)
	}
	return status, nil
}

func tableStatus(ctx context.Context, o Options, manifest *lake.Manifest, t tables.Table) (TableStatus, error) {
	s := TableStatus{Name: t.Name, Orgs: map[string]int64{}}
	wanted := datafiles.WantedOf(manifest, t.Name)
	tbl, err := o.Catalog.Load(ctx, t.Name)
	if errors.Is(err, catalog.ErrNoSuchTable) {
		s.Pending = len(wanted)
		return s, nil
	}
	if err != nil {
		return s, err
	}
	live, err := snapshots.Read(ctx, tbl, o.Org)
	if err != nil {
		return s, err
	}
	s.Exists, s.Generation, s.Location = true, live.Generation, tbl.Location()
	s.Partitions, s.Snapshots = len(live.Partitions), len(tbl.Metadata().Snapshots())
	replace, write := datafiles.Diff(wanted, live)
	for _, period := range write {
		replace[period] = true
	}
	s.Pending = len(replace)
	for _, p := range live.Partitions {
		for _, file := range p.Files {
			s.Files++
			s.Rows += file.Count()
			s.Bytes += file.FileSizeBytes()
		}
	}
	if current := tbl.CurrentSnapshot(); current != nil {
		at := time.UnixMilli(current.TimestampMs).UTC()
		s.LastCommit = &at
		if current.Summary != nil {
			s.LastRun = current.Summary.Properties["flashback.run-id"]
		}
	}
	for key, value := range tbl.Properties() {
		if org, ours := strings.CutPrefix(key, snapshots.GenerationKey("")); ours {
			s.Orgs[org], _ = strconv.ParseInt(value, 10, 64)
		}
	}
	return s, nil
}

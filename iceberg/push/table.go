package push

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/iceberg-go"
	"golang.org/x/sync/errgroup"

	"github.com/flashback-sync/flashback-sync/iceberg/catalogs"
	"github.com/flashback-sync/flashback-sync/iceberg/datafiles"
	"github.com/flashback-sync/flashback-sync/iceberg/lake"
	"github.com/flashback-sync/flashback-sync/iceberg/snapshots"
	"github.com/flashback-sync/flashback-sync/iceberg/tables"
)

// How often and how long a commit is tried. Conflicts are many where many write.
const (
	commitWait = 10 * time.Minute
	unknownMax = 8
	writers    = 2 // partitions that are written at the same time
)

// pusher pushes one table.
type pusher struct {
	Options
	manifest *lake.Manifest
	declared tables.Table
	result   *TableResult

	want    map[int32]datafiles.Wanted
	written map[int32][]iceberg.DataFile
	tried   attempt // the last commit that was tried
	unsure  bool    // a commit with these files may have had its effect
}

type attempt struct {
	change  snapshots.Change
	periods []int32 // of the files that come
}

func (p *pusher) push(ctx context.Context) error {
	p.want, p.written = datafiles.WantedOf(p.manifest, p.declared.Name), map[int32][]iceberg.DataFile{}
	p.result.Wanted = len(p.want)
	tbl, err := ensure(ctx, p.Catalog, p.declared)
	if err != nil {
		return err
	}
	live, err := snapshots.Read(ctx, tbl, p.Org)
	if err != nil {
		return err
	}
	if err = p.write(ctx, live); err == nil {
		err = p.commit(ctx)
	}
	if err != nil && !p.unsure {
		p.discard(ctx, live)
	}
	return err
}

// diff compares the table with what is wanted.
func (p *pusher) diff(live *snapshots.Live) (replace map[int32]bool, write []int32) {
	replace, write = datafiles.Diff(p.want, live)
	for period := range replace {
		if live.Partitions[period].Hash == "" {
			p.Log.Warn("another program has changed a partition; it is replaced", "table", p.declared.Name, "org", p.Org, "period", period)
		}
	}
	return replace, write
}

// write writes what the table lacks and has not been written yet.
func (p *pusher) write(ctx context.Context, live *snapshots.Live) error {
	if err := p.check(live); err != nil {
		return err
	}
	_, periods := p.diff(live)
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(writers)
	results := make([][]iceberg.DataFile, len(periods))
	for i, period := range periods {
		if p.written[period] != nil {
			continue
		}
		group.Go(func() (err error) {
			results[i], err = p.writeOne(ctx, live, p.want[period])
			return err
		})
	}
	err := group.Wait()
	for i, files := range results {
		for _, file := range files {
			p.written[periods[i]] = files
			p.result.Bytes += file.FileSizeBytes()
		}
	}
	return err
}

func (p *pusher) writeOne(ctx context.Context, live *snapshots.Live, want datafiles.Wanted) (written []iceberg.DataFile, err error) {
	w := &datafiles.Writer{
		Table: live.Table, Files: live.Files, Declared: p.declared, Org: p.Org,
		Name: snapshots.FileName{Hash: snapshots.ShortHash(want.Hash), Generation: p.manifest.Generation, Run: p.Run},
	}
	err = want.Read(ctx, p.Lake, func(schema *arrow.Schema, batches iter.Seq2[arrow.RecordBatch, error]) error {
		written, err = w.Write(ctx, datafiles.Source{Period: want.Period, Schema: schema, Batches: batches})
		return err
	})
	return written, err
}

// check refuses a manifest that is older than what the table has: another machine, or another
// run, was ahead, and what has been erased since must not come back.
func (p *pusher) check(live *snapshots.Live) error {
	if live.Generation > p.manifest.Generation && !p.Rebuilt {
		return fmt.Errorf("%w: the table has generation %d of organisation %s, the manifest is generation %d",
			ErrOlder, live.Generation, p.Org, p.manifest.Generation)
	}
	return nil
}

// commit commits until the table has what is wanted.
func (p *pusher) commit(ctx context.Context) error {
	unknown := 0
	var last error
	for deadline := time.Now().Add(commitWait); ; {
		done, err := p.try(ctx)
		switch {
		case done:
			return nil
		case err == nil:
			continue // the table has changed: something more was written
		case ctx.Err() != nil:
			return errors.Join(context.Cause(ctx), last)
		}
		last = err
		var commit *snapshots.CommitError
		if !errors.As(err, &commit) {
			if final(err) {
				return err
			}
			unknown++ // catalog or storage failed, perhaps for a moment
		} else {
			switch catalogs.OutcomeOf(commit.Err) {
			case catalogs.Conflict:
				commit.Discard()
			case catalogs.Refused:
				commit.Discard()
				return fmt.Errorf("commit: %w", commit.Err)
			case catalogs.Unknown:
				p.unsure = true
				unknown++
				p.Log.Warn("the outcome of a commit is unknown, reading the table again", "table", p.declared.Name, "cause", commit.Err)
			}
		}
		if unknown >= unknownMax || time.Now().After(deadline) {
			return fmt.Errorf("commit: %w", last)
		}
		if err := catalogs.Sleep(ctx, 20*time.Millisecond, min(50*time.Millisecond<<unknown, 5*time.Second)); err != nil {
			return errors.Join(err, last)
		}
	}
}

// final reports that trying again would not help.
func final(err error) bool {
	var broken lake.Error
	return errors.As(err, &broken) || errors.Is(err, ErrOlder) || catalogs.Unauthorized(err)
}

// try reads the table and commits what it lacks. It is done if the table lacks nothing.
func (p *pusher) try(ctx context.Context) (done bool, err error) {
	release := p.Catalog.Lock(ctx, p.declared.Name)
	defer func() { release() }()
	tbl, err := p.Catalog.Load(ctx, p.declared.Name)
	if err != nil {
		return false, err
	}
	live, err := snapshots.Read(ctx, tbl, p.Org)
	if err != nil {
		return false, err
	}
	if err := p.check(live); err != nil {
		return false, err
	}
	replace, periods := p.diff(live)
	if len(replace) == 0 && len(periods) == 0 && (!p.Seal || live.Generation == p.manifest.Generation) {
		p.settled(ctx, live)
		return true, nil
	}
	change := snapshots.Change{Generation: p.manifest.Generation, Replace: replace, Summary: p.summary()}
	for _, period := range periods {
		if p.written[period] == nil {
			release()
			release = func() {}
			return false, p.write(ctx, live)
		}
		change.Add = append(change.Add, p.written[period]...)
	}
	p.result.Commits++
	p.tried = attempt{change, periods}
	snapshot, err := live.Commit(ctx, p.Catalog, change)
	if err != nil {
		return false, err
	}
	p.account(snapshot)
	return true, nil
}

// settled looks into how the table came to have everything: by a commit of ours whose answer
// was lost, or by another writer of the organisation, whose files are the ones that count.
func (p *pusher) settled(ctx context.Context, live *snapshots.Live) {
	for _, snapshot := range live.Table.Metadata().Snapshots() {
		if p.unsure && snapshot.Summary != nil && snapshot.Summary.Properties["flashback.run-id"] == p.Run {
			p.account(snapshot.SnapshotID)
			return
		}
	}
	if !p.unsure {
		p.discard(ctx, live)
	}
}

// account counts what the last commit did, which had its effect.
func (p *pusher) account(snapshot int64) {
	p.result.Snapshot, p.result.Written = snapshot, len(p.tried.periods)
	for _, file := range p.tried.change.Add {
		p.result.Rows += file.Count()
	}
	for period := range p.tried.change.Replace {
		if _, wanted := p.want[period]; !wanted {
			p.result.Removed++
		}
	}
}

// summary is what the snapshot says of where its rows are from.
func (p *pusher) summary() map[string]string {
	lists := p.manifest.Lists()
	return map[string]string{
		"flashback.org":             p.Org,
		"flashback.generation":      strconv.FormatInt(p.manifest.Generation, 10),
		"flashback.generated-at":    p.manifest.GeneratedAt.UTC().Format(time.RFC3339Nano),
		"flashback.run-id":          p.Run,
		"flashback.coverage-sha256": lists[len(lists)-1].Hash,
	}
}

// discard removes the data files that were written, which certainly no snapshot has. The
// storage is opened again: what was opened before ends with a context that may have ended.
func (p *pusher) discard(ctx context.Context, live *snapshots.Live) {
	files, err := live.Table.FS(context.WithoutCancel(ctx))
	if err != nil {
		return
	}
	for _, list := range p.written {
		for _, file := range list {
			_ = files.Remove(file.FilePath()) // otherwise an orphan, which maintain removes
		}
	}
}

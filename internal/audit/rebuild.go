package audit

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"

	"github.com/flashback-sync/flashback-sync/internal/run"
	"github.com/flashback-sync/flashback-sync/load"
	"github.com/flashback-sync/flashback-sync/load/duckdb"
	"github.com/flashback-sync/flashback-sync/load/durable"
	"github.com/flashback-sync/flashback-sync/load/lake"
	"github.com/flashback-sync/flashback-sync/load/rebuild"
	"github.com/flashback-sync/flashback-sync/load/snapshot"
)

// Rebuild makes the warehouse again from the lake and its manifest, reads what is
// missing from the source, verifies the whole, and repairs what differs.
func Rebuild(ctx context.Context, options run.Options, from run.Source) (done Repaired, err error) {
	if options.Observe == nil {
		options.Observe = func(run.Event) {}
	}
	remains, err := findRemains(ctx, &options)
	if err != nil {
		return done, &duckdb.StorageError{Doing: "read lake", Err: err}
	}
	done.Rebuilt, err = rebuild.Warehouse(ctx, load.Options{
		Dir: options.DataDir, Version: options.Version, Now: options.Now,
	}, remains)
	if err != nil {
		return done, err
	}
	if err := durable.Write(filepath.Join(options.DataDir, load.Unpublished), nil); err != nil {
		return done, &duckdb.StorageError{Doing: "rebuild", Err: err}
	}
	done.Summary, err = run.Run(ctx, options, from)
	if err != nil {
		return done, err
	}
	if done.Found, err = Verify(ctx, options, from); err != nil {
		return done, err
	}
	if options.NewRunID != nil {
		options.RunID = options.NewRunID()
	}
	return repairFound(ctx, options, from, done)
}

// findRemains lists what is in the lake. Without a manifest nothing of it counts as
// covered.
func findRemains(ctx context.Context, o *run.Options) (rebuild.Remains, error) {
	remains := rebuild.Remains{Published: snapshot.Name}
	remains.Generation = snapshot.Generation(ctx, filepath.Join(o.DataDir, snapshot.Name))
	if manifest, err := lake.ReadManifest(o.LakeDir()); err == nil {
		remains.Generation = max(remains.Generation, manifest.Generation)
	}
	inventory, err := lake.Check(ctx, o.LakeDir())
	if ctx.Err() != nil {
		return remains, ctx.Err()
	}
	if err != nil {
		o.Observe(run.Event{Kind: run.Warned, Message: fmt.Sprintf("the lake has no manifest to rely on (%v): what is in it is kept, and fetched again as far as the source has it", err)})
		inventory = &lake.Inventory{Manifest: &lake.Manifest{}}
		if inventory.Unlisted, err = lake.Unlisted(o.LakeDir(), nil); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return remains, err
		}
	} else {
		remains.Manifest = true
		remains.Coverage = inventory.Manifest.Coverage
		remains.Privacy, remains.Sealed = inventory.Manifest.Privacy, inventory.Manifest.Sealed
	}
	var paths []string
	for _, f := range inventory.Manifest.Files {
		paths = append(paths, f.Path)
	}
	for _, path := range append(paths, inventory.Unlisted...) {
		table, start, ok := lake.PartitionOf(path)
		if !ok {
			continue
		}
		part := rebuild.Part{Table: table, Start: start, End: lake.EndOf(table, start), Path: path}
		problem, listed := inventory.Problems[path]
		if part.Intact = remains.Manifest && !listed && !slices.Contains(inventory.Unlisted, path); errors.Is(problem, fs.ErrNotExist) {
			part.Path = ""
		}
		remains.Parts = append(remains.Parts, part)
	}
	return remains, nil
}

// Package views publishes further files, for readers who may see less: publish.views of the
// configuration.
package views

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/flashback-sync/flashback-sync/internal/privacy"
	"github.com/flashback-sync/flashback-sync/internal/published"
	"github.com/flashback-sync/flashback-sync/load"
	"github.com/flashback-sync/flashback-sync/load/duckdb"
	"github.com/flashback-sync/flashback-sync/load/snapshot"
	"github.com/flashback-sync/flashback-sync/schema"
	"github.com/flashback-sync/flashback-sync/transform"
)

// View is a published file, data_dir/Name.duckdb, for readers who may see less.
type View struct {
	Name   string
	Tables []string          // alerts, bi.events
	Policy *transform.Policy // what its values obey, beside what is stored
}

// Path is the file's place below data_dir.
func (v View) Path() string { return v.Name + ".duckdb" }

// Publish writes the files of views from the closed private file, and removes those that are
// not configured any more. note is of the last publication. If something changed, all are
// written.
func Publish(ctx context.Context, dataDir string, views []View, note *published.Note, changed bool, warn func(message string)) error {
	for _, view := range views {
		if !changed && note.Same(dataDir, view.Path()) && note.Views[view.Path()] == view.Digest() {
			continue
		}
		err := snapshot.PublishSelection(ctx, load.File(dataDir), filepath.Join(dataDir, view.Path()), view.selection())
		if err != nil {
			return err
		}
	}
	if note == nil {
		return nil
	}
	for _, path := range slices.Sorted(maps.Keys(note.Views)) {
		if slices.ContainsFunc(views, func(v View) bool { return v.Path() == path }) || !note.Same(dataDir, path) {
			continue
		}
		if err := os.Remove(filepath.Join(dataDir, path)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		warn(path + " was removed: publish.views does not name it any more")
	}
	return nil
}

// Intact reports whether the file is the one that was published.
func (v View) Intact(dataDir string) bool { return published.Read(dataDir).Same(dataDir, v.Path()) }

// selection is the view as the publisher takes it.
func (v View) selection() snapshot.Selection {
	s := snapshot.Selection{Tables: v.Tables, Treating: duckdb.Treating{Reject: privacy.RejectsAgain(v.Policy)}}
	for _, c := range schema.Treatable() {
		if v.Policy.Of(c.Table.Name, c.Column.Name) == schema.Keep || c.Table.Name == schema.RejectedRecords().Name {
			continue
		}
		value := v.Policy.Again(c)
		s.Values = append(s.Values, duckdb.NewValue{TableColumn: c, Value: value})
		switch {
		case c.Entity != schema.User:
		case c.IDOf == "":
			s.User = value
		default:
			s.UserName = value
		}
	}
	return s
}

// Digest differs where the file would.
func (v View) Digest() string {
	sum := sha256.Sum256(fmt.Append(nil, v.Tables, privacy.Treatments(v.Policy), schema.ViewsDigest()))
	return hex.EncodeToString(sum[:8])
}

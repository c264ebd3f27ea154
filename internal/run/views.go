package run

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

	"github.com/flashback-sync/flashback-sync/internal/published"
	"github.com/flashback-sync/flashback-sync/load"
	"github.com/flashback-sync/flashback-sync/load/duckdb"
	"github.com/flashback-sync/flashback-sync/load/snapshot"
	"github.com/flashback-sync/flashback-sync/schema"
)

// publishViews writes the files for readers who may see less, from the closed private file,
// and removes those that are not configured any more. changed: all are written.
func (r *run) publishViews(ctx context.Context, note *published.Note, changed bool) error {
	for _, view := range r.options.Views {
		if !changed && note.Same(r.options.DataDir, view.Path()) && note.Views[view.Path()] == view.digest() {
			continue
		}
		err := snapshot.PublishSelection(ctx, load.File(r.options.DataDir), filepath.Join(r.options.DataDir, view.Path()), view.selection())
		if err != nil {
			return err
		}
	}
	if note == nil {
		return nil
	}
	for _, path := range slices.Sorted(maps.Keys(note.Views)) {
		if slices.ContainsFunc(r.options.Views, func(v View) bool { return v.Path() == path }) || !note.Same(r.options.DataDir, path) {
			continue
		}
		if err := os.Remove(filepath.Join(r.options.DataDir, path)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		r.warn("", path+" was removed: publish.views does not name it any more")
	}
	return nil
}

// Intact reports whether the file is the one that was published.
func (v View) Intact(dataDir string) bool { return published.Read(dataDir).Same(dataDir, v.Path()) }

// selection is the view as the publisher takes it.
func (v View) selection() snapshot.Selection {
	s := snapshot.Selection{Tables: v.Tables, Reject: rejectsAgain(v.Policy)}
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

// digest differs where the file would.
func (v View) digest() string {
	sum := sha256.Sum256(fmt.Append(nil, v.Tables, treatmentsOf(v.Policy), schema.ViewsDigest()))
	return hex.EncodeToString(sum[:8])
}

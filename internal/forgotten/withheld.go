package forgotten

import (
	"context"
	"fmt"

	"github.com/flashback-sync/flashback-sync/load/duckdb"
	"github.com/flashback-sync/flashback-sync/load/lake"
	"github.com/flashback-sync/flashback-sync/schema"
	"github.com/flashback-sync/flashback-sync/transform"
)

// KeyMissing says that there are tombstones, and not the key that they were made with.
type KeyMissing struct {
	KeyID string // of the tombstones
	Now   string // of the configuration; "" if it has no key
}

func (e *KeyMissing) Error() string {
	if e.Now == "" {
		return "somebody was forgotten or is suppressed, and the privacy key " + e.KeyID + " is not configured: their records would be stored again"
	}
	return fmt.Sprintf("somebody was forgotten or is suppressed with the privacy key %s, and the key now is %s: their records would be stored again", e.KeyID, e.Now)
}

// applied are the tombstones that a warehouse obeys.
type applied interface {
	Applied(ctx context.Context) ([]schema.Tombstone, error)
}

// Withheld is of whom nothing is stored.
type Withheld struct {
	*List
	// Policy withholds their records.
	Policy *transform.Policy
	// Unfinished: something is to be erased or proven still.
	Unfinished bool

	dir      string // data_dir
	unlisted bool   // the list lacked some
}

// Withhold reads the list, the manifest and the warehouse, since one of them may have been
// lost or restored.
func Withhold(ctx context.Context, dir, lakeDir string, policy *transform.Policy, stored applied) (*Withheld, error) {
	list, err := Read(dir)
	if err != nil {
		return nil, &duckdb.StorageError{Doing: "read who was forgotten", Err: err}
	}
	recorded, err := stored.Applied(ctx)
	if err != nil {
		return nil, err
	}
	w := &Withheld{List: list, Policy: policy, dir: dir}
	w.unlisted = list.Add(recorded...)
	if manifest, err := lake.ReadManifest(lakeDir); err == nil {
		w.unlisted = list.Add(manifest.Tombstones()...) || w.unlisted
	}
	if len(list.Entries) == 0 {
		return w, nil
	}
	for _, e := range list.Entries {
		if e.KeyID != policy.KeyID() {
			return nil, &KeyMissing{KeyID: e.KeyID, Now: policy.KeyID()}
		}
	}
	w.Policy = policy.Hiding(transform.HiddenBy(list.Tombstones()))
	w.Unfinished = list.Unfinished(recorded)
	return w, nil
}

// Complete adds those to the stored list whom it lacked.
func (w *Withheld) Complete() error {
	if !w.unlisted {
		return nil
	}
	return w.save()
}

func (w *Withheld) save() error {
	if err := w.Write(w.dir); err != nil {
		return &duckdb.StorageError{Doing: "record who is forgotten", Err: err}
	}
	return nil
}

// Package privacy compares how values are stored with how the privacy policy treats them, and
// makes what is stored obey it.
package privacy

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/flashback-sync/flashback-sync/load"
	"github.com/flashback-sync/flashback-sync/load/duckdb"
	"github.com/flashback-sync/flashback-sync/schema"
	"github.com/flashback-sync/flashback-sync/transform"
)

// Changed says that what is stored obeys another privacy policy than the
// configuration's.
type Changed struct {
	Changes []string // in words, one for each column
	// Possible: what is stored can be made to obey the new policy.
	Possible bool
}

func (e *Changed) Error() string {
	const most = 5
	shown := e.Changes[:min(len(e.Changes), most)]
	text := "the privacy policy changed: " + strings.Join(shown, "; ")
	if more := len(e.Changes) - len(shown); more > 0 {
		text += fmt.Sprintf("; and %d more", more)
	}
	return text
}

// stored is what a policy is compared with.
type stored interface {
	Treatments(ctx context.Context) ([]schema.Treated, error)
	Holds(ctx context.Context, table *schema.Table) (bool, error)
}

// change is one column that is stored otherwise than the configuration says.
type change struct {
	schema.TableColumn
	was schema.Treated
	is  schema.Treated
}

// Treatments lists how a policy treats every column that it can treat.
func Treatments(policy *transform.Policy) (all []schema.Treated) {
	for _, c := range schema.Treatable() {
		with := policy.Of(c.Table.Name, c.Column.Name)
		t := schema.Treated{Table: c.Table.Name, Column: c.Column.Name, Treatment: with}
		if transform.NeedsKey(c, with) {
			t.KeyID = policy.KeyID()
		}
		all = append(all, t)
	}
	return all
}

// changes lists the columns that are stored otherwise. A column that nothing is
// recorded of is kept if the warehouse is of a release without policies, and new if it is
// of one that did not know the column; a table without rows obeys any policy.
func changes(ctx context.Context, in stored, policy *transform.Policy) (all []change, err error) {
	recorded, err := in.Treatments(ctx)
	if err != nil {
		return nil, err
	}
	for i, is := range Treatments(policy) {
		at := slices.IndexFunc(recorded, func(t schema.Treated) bool { return t.Table == is.Table && t.Column == is.Column })
		was := schema.Treated{Table: is.Table, Column: is.Column, Treatment: schema.Keep}
		switch {
		case at >= 0:
			was = recorded[at]
		case len(recorded) > 0:
			continue
		}
		if was == is {
			continue
		}
		c := schema.Treatable()[i]
		some, err := in.Holds(ctx, c.Table)
		if err != nil {
			return nil, err
		}
		if some {
			all = append(all, change{c, was, is})
		}
	}
	return all, nil
}

// possible reports whether stored values can be made to obey the new policy.
func (c change) possible() bool {
	return c.was.Treatment == schema.Keep || c.is.Treatment == schema.Drop && c.was.Treatment != schema.Drop
}

func (c change) String() string {
	path := c.Path()
	if c.was.Treatment == c.is.Treatment {
		return fmt.Sprintf("%s is stored with the key %s, and the key now is %s", path, c.was.KeyID, c.is.KeyID)
	}
	return fmt.Sprintf("%s is stored as %s and configured as %s", path, c.was.Treatment, c.is.Treatment)
}

// Check returns a *Changed if what is stored does not obey the policy.
func Check(ctx context.Context, in stored, policy *transform.Policy) error {
	found, err := changes(ctx, in, policy)
	if err != nil || len(found) == 0 {
		return err
	}
	changed := &Changed{Possible: true}
	for _, c := range found {
		changed.Changes = append(changed.Changes, c.String())
		changed.Possible = changed.Possible && c.possible()
	}
	return changed
}

// Apply makes what is stored obey the policy, and returns how many columns it rewrote. It
// cannot be undone.
func Apply(ctx context.Context, w *load.Warehouse, policy *transform.Policy, now time.Time) (columns int, err error) {
	found, err := changes(ctx, w, policy)
	if err != nil {
		return 0, err
	}
	treatments := map[string]schema.Treatment{}
	for _, c := range found {
		treatments[c.Path()] = c.is.Treatment
	}
	changed := policy.Only(treatments)
	treating := duckdb.Treating{Reject: RejectsAgain(policy)}
	var repos []schema.TableColumn // whose ids are to be encrypted
	for _, c := range found {
		if c.Table.Name == schema.RejectedRecords().Name {
			continue
		}
		treating.Values = append(treating.Values, duckdb.NewValue{TableColumn: c.TableColumn, Value: changed.Again(c.TableColumn)})
		if c.Entity == schema.Repo && c.IDOf == "" && c.is.Treatment != schema.Drop && c.is.Treatment != schema.Mask {
			repos = append(repos, c.TableColumn)
		}
	}
	_, err = w.Rewrite(ctx, obeying(treating, repos, policy, changed, now))
	return len(found), err
}

// Record records the policy that new rows obey, if that is not recorded yet.
func Record(ctx context.Context, w *load.Warehouse, policy *transform.Policy) error {
	recorded, err := w.Treatments(ctx)
	is := Treatments(policy)
	if err != nil || len(recorded) == len(is) && !slices.ContainsFunc(is, func(t schema.Treated) bool { return !slices.Contains(recorded, t) }) {
		return err
	}
	return w.SetTreatments(ctx, is)
}

// RejectsAgain treats stored rejects of every stream.
func RejectsAgain(policy *transform.Policy) func(stream, raw, reason string) (string, string) {
	type pair struct{ raw, reason func(string) string }
	known := map[string]pair{}
	for _, s := range schema.Streams() {
		raw, reason := policy.RejectAgain(s)
		known[s.Name] = pair{raw, reason}
	}
	return func(stream, raw, reason string) (string, string) {
		p, ok := known[stream]
		if !ok {
			return raw, reason
		}
		return p.raw(raw), p.reason(reason)
	}
}

package run

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/flashback-sync/flashback-sync/schema"
	"github.com/flashback-sync/flashback-sync/transform"
)

// PolicyChanged says that what is stored obeys another privacy policy than the
// configuration's.
type PolicyChanged struct {
	Changes []string // in words, one for each column
	// Possible: what is stored can be made to obey the new policy.
	Possible bool
}

func (e *PolicyChanged) Error() string {
	const most = 5
	shown := e.Changes[:min(len(e.Changes), most)]
	text := "the privacy policy changed: " + strings.Join(shown, "; ")
	if more := len(e.Changes) - len(shown); more > 0 {
		text += fmt.Sprintf("; and %d more", more)
	}
	return text
}

// obeyed is what a policy is compared with.
type obeyed interface {
	Treatments(ctx context.Context) ([]schema.Treated, error)
	Holds(ctx context.Context, table *schema.Table) (bool, error)
}

// policyChange is one column that is stored otherwise than the configuration says.
type policyChange struct {
	schema.TableColumn
	was schema.Treated
	is  schema.Treated
}

// treatmentsOf lists how a policy treats every column that it can treat.
func treatmentsOf(policy *transform.Policy) (all []schema.Treated) {
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

// policyChanges lists the columns that are stored otherwise. A column that nothing is
// recorded of is kept if the warehouse is of a release without policies, and new if it is
// of one that did not know the column; a table without rows obeys any policy.
func policyChanges(ctx context.Context, stored obeyed, policy *transform.Policy) (changes []policyChange, err error) {
	recorded, err := stored.Treatments(ctx)
	if err != nil {
		return nil, err
	}
	for i, is := range treatmentsOf(policy) {
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
		some, err := stored.Holds(ctx, c.Table)
		if err != nil {
			return nil, err
		}
		if some {
			changes = append(changes, policyChange{c, was, is})
		}
	}
	return changes, nil
}

// possible reports whether stored values can be made to obey the new policy.
func (c policyChange) possible() bool {
	return c.was.Treatment == schema.Keep || c.is.Treatment == schema.Drop && c.was.Treatment != schema.Drop
}

func (c policyChange) String() string {
	path := c.Path()
	if c.was.Treatment == c.is.Treatment {
		return fmt.Sprintf("%s is stored with the key %s, and the key now is %s", path, c.was.KeyID, c.is.KeyID)
	}
	return fmt.Sprintf("%s is stored as %s and configured as %s", path, c.was.Treatment, c.is.Treatment)
}

// CheckPolicy returns a *PolicyChanged if what is stored does not obey the policy.
func CheckPolicy(ctx context.Context, stored obeyed, policy *transform.Policy) error {
	changes, err := policyChanges(ctx, stored, policy)
	if err != nil || len(changes) == 0 {
		return err
	}
	changed := &PolicyChanged{Possible: true}
	for _, c := range changes {
		changed.Changes = append(changed.Changes, c.String())
		changed.Possible = changed.Possible && c.possible()
	}
	return changed
}

// obeyPolicy refuses to run while what is stored does not obey the policy, or applies it if
// the options say so. It records the policy if that is new.
func (r *run) obeyPolicy(ctx context.Context) error {
	err := CheckPolicy(ctx, r.warehouse, r.options.Privacy)
	var changed *PolicyChanged
	if errors.As(err, &changed) && changed.Possible && r.options.ApplyPrivacy && !r.options.DryRun {
		return r.applyPolicy(ctx)
	}
	if err != nil || r.options.DryRun {
		return err
	}
	recorded, err := r.warehouse.Treatments(ctx)
	is := treatmentsOf(r.options.Privacy)
	if err != nil || len(recorded) == len(is) && !slices.ContainsFunc(is, func(t schema.Treated) bool { return !slices.Contains(recorded, t) }) {
		return err
	}
	return r.warehouse.SetTreatments(ctx, is)
}

package privacy

import (
	"context"
	"slices"
	"time"

	"github.com/flashback-sync/flashback-sync/checkpoints"
	"github.com/flashback-sync/flashback-sync/internal/streams"
	"github.com/flashback-sync/flashback-sync/load"
	"github.com/flashback-sync/flashback-sync/load/duckdb"
	"github.com/flashback-sync/flashback-sync/load/erase"
	"github.com/flashback-sync/flashback-sync/schema"
	"github.com/flashback-sync/flashback-sync/transform"
)

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
	obedience := erase.Obedience{
		Now: now, Treatments: Treatments(policy), Seal: policy.Seal, Reject: RejectsAgain(policy),
		Filter: func(key checkpoints.Key) checkpoints.Key { return streams.KeyAgain(changed, key) },
	}
	for _, c := range found {
		if c.Table.Name == schema.RejectedRecords().Name {
			continue
		}
		obedience.Values = append(obedience.Values, duckdb.NewValue{TableColumn: c.TableColumn, Value: changed.Again(c.TableColumn)})
		if c.Entity == schema.Repo && c.IDOf == "" && c.is.Treatment != schema.Drop && c.is.Treatment != schema.Mask {
			obedience.Repos = append(obedience.Repos, c.TableColumn)
		}
	}
	return len(found), erase.Obey(ctx, w, obedience)
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

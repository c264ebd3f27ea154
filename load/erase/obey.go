package erase

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/flashback-sync/flashback-sync/checkpoints"
	"github.com/flashback-sync/flashback-sync/load"
	"github.com/flashback-sync/flashback-sync/load/duckdb"
	"github.com/flashback-sync/flashback-sync/load/layout"
	"github.com/flashback-sync/flashback-sync/load/rewrite"
	"github.com/flashback-sync/flashback-sync/schema"
)

// Obedience is what makes the warehouse obey a privacy policy.
type Obedience struct {
	Treatments []schema.Treated // of every column, as they are from now on
	// Values has a function for each column whose stored values are replaced. It gets the
	// value and, for a name, that of the column with the id.
	Values []duckdb.NewValue
	// Reject gives the new text and reason of a reject; nil if they stay.
	Reject func(stream, raw, reason string) (newRaw, newReason string)
	// Filter gives the new key of a line of the ledger.
	Filter func(checkpoints.Key) checkpoints.Key
	// Seal encrypts the ids of Repos that later requests need.
	Seal func(id string) string
	// Repos are the columns whose ids are to be encrypted.
	Repos []schema.TableColumn
	Now   time.Time
}

// Obey makes the file anew with every value as a privacy policy stores it, and records the
// policy. Everything is published again afterwards, and the derived tables are computed
// again. What runs reported in words is removed: it may name what is hidden now.
func Obey(ctx context.Context, w *load.Warehouse, o Obedience) error {
	_, err := w.Rewrite(ctx, o.changes())
	return err
}

func (o Obedience) changes() rewrite.Changes {
	var repos []string
	r := rewrite.Changes{
		Functions: map[string]rewrite.Function{},
		Where:     map[string]string{},
		Columns:   map[string]map[string]string{schema.SyncRuns().Name: {"error": "CASE WHEN error IS NOT NULL THEN 'removed: recorded under another privacy policy' END"}},
		Before: func(ctx context.Context, tx *sql.Tx) (err error) {
			repos, err = o.storedRepos(ctx, tx)
			return err
		},
		Then: func(ctx context.Context, tx *sql.Tx) error { return o.finish(ctx, tx, repos) },
	}
	for _, table := range schema.Tables() {
		if table.Derived != "" {
			r.Where[table.Name] = "false"
		}
	}
	for i, v := range o.Values {
		name := v.Function(i)
		r.Functions[name] = rewrite.Function{Arguments: 2, Call: v.Call}
		if r.Columns[v.Table.Name] == nil {
			r.Columns[v.Table.Name] = map[string]string{}
		}
		r.Columns[v.Table.Name][v.Column.Name] = v.Expression(name)
	}
	if o.Reject != nil {
		r.Functions["treat_raw"] = rewrite.Function{Arguments: 3, Call: func(a []*string) *string { raw, _ := o.Reject(*a[0], *a[1], *a[2]); return &raw }}
		r.Functions["treat_reason"] = rewrite.Function{Arguments: 3, Call: func(a []*string) *string { _, reason := o.Reject(*a[0], *a[1], *a[2]); return &reason }}
		r.Columns[schema.RejectedRecords().Name] = map[string]string{
			"raw": "treat_raw(stream, raw, reason)", "reason": "treat_reason(stream, raw, reason)",
		}
	}
	return r
}

// storedRepos reads the ids to be encrypted from the old file.
func (o Obedience) storedRepos(ctx context.Context, tx *sql.Tx) (all []string, err error) {
	for _, c := range o.Repos {
		ids, err := duckdb.ReadColumn[string](ctx, tx, fmt.Sprintf("SELECT DISTINCT %[1]s FROM %[3]s.main.%[2]s WHERE %[1]s <> ''", schema.Ident(c.Column.Name), schema.Ident(c.Table.Name), rewrite.Old))
		if err != nil {
			return nil, err
		}
		all = append(all, ids...)
	}
	return all, nil
}

// finish records the policy in the new file.
func (o Obedience) finish(ctx context.Context, tx *sql.Tx, repos []string) error {
	for _, id := range repos {
		if err := layout.AddMeta(ctx, tx, layout.Sealed, o.Seal(id)); err != nil {
			return err
		}
	}
	lines, err := checkpoints.ReadAll(ctx, tx, "sync_coverage")
	if err != nil {
		return err
	}
	for _, line := range lines {
		was := line.Key()
		if is := o.Filter(was); is != was {
			_, err := tx.ExecContext(ctx, "UPDATE sync_coverage SET filter = ? WHERE stream = ? AND filter = ?", is.Filter, was.Stream, was.Filter)
			if err != nil {
				return err
			}
		}
	}
	statements := []string{"DELETE FROM sync_queries"}
	for _, table := range schema.Tables() { // everything is published again
		if table.Partition != schema.Unpartitioned && table.Derived == "" {
			statements = append(statements, layout.ListAll(table))
		}
	}
	if err := duckdb.Execute(ctx, tx, statements...); err != nil {
		return err
	}
	if err := layout.AddMeta(ctx, tx, pending, ""); err != nil {
		return err
	}
	return load.RecordTreatments(ctx, tx, o.Treatments, o.Now.UTC())
}

package privacy

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/flashback-sync/flashback-sync/checkpoints"
	"github.com/flashback-sync/flashback-sync/internal/streams"
	"github.com/flashback-sync/flashback-sync/load"
	"github.com/flashback-sync/flashback-sync/load/duckdb"
	"github.com/flashback-sync/flashback-sync/load/layout"
	"github.com/flashback-sync/flashback-sync/load/rewrite"
	"github.com/flashback-sync/flashback-sync/schema"
	"github.com/flashback-sync/flashback-sync/transform"
)

// obeying makes the file anew with every value as a policy stores it, and records the policy.
// The columns of changed, and the rejects, are treated again. Everything is published again
// afterwards, and the derived tables are computed again. What runs reported in words is
// removed: it may name what is hidden now.
func obeying(treating duckdb.Treating, repos []schema.TableColumn, policy, changed *transform.Policy, now time.Time) rewrite.Changes {
	var ids []string
	columns := treating.Columns()
	columns[schema.SyncRuns().Name] = map[string]string{"error": "CASE WHEN error IS NOT NULL THEN 'removed: recorded under another privacy policy' END"}
	where := map[string]string{}
	for _, table := range schema.Tables() {
		if table.Derived != "" {
			where[table.Name] = "false"
		}
	}
	return rewrite.Changes{
		Functions: treating.Functions(), Columns: columns, Where: where,
		Before: func(ctx context.Context, tx *sql.Tx) (err error) {
			ids, err = storedIDs(ctx, tx, repos)
			return err
		},
		Then: func(ctx context.Context, tx *sql.Tx) error {
			for _, id := range ids {
				if err := layout.AddMeta(ctx, tx, layout.Sealed, policy.Seal(id)); err != nil {
					return err
				}
			}
			if err := rename(ctx, tx, changed); err != nil {
				return err
			}
			if err := publishAgain(ctx, tx); err != nil {
				return err
			}
			return load.RecordTreatments(ctx, tx, Treatments(policy), now.UTC())
		},
	}
}

// storedIDs reads ids from the old file.
func storedIDs(ctx context.Context, tx *sql.Tx, columns []schema.TableColumn) (all []string, err error) {
	for _, c := range columns {
		ids, err := duckdb.ReadColumn[string](ctx, tx, fmt.Sprintf("SELECT DISTINCT %[1]s FROM %[3]s.main.%[2]s WHERE %[1]s <> ''",
			schema.Ident(c.Column.Name), schema.Ident(c.Table.Name), rewrite.Old))
		if err != nil {
			return nil, err
		}
		all = append(all, ids...)
	}
	return all, nil
}

// rename gives the ledger the keys that queries have now.
func rename(ctx context.Context, tx *sql.Tx, changed *transform.Policy) error {
	lines, err := checkpoints.ReadAll(ctx, tx, "sync_coverage")
	if err != nil {
		return err
	}
	for _, line := range lines {
		was := line.Key()
		if is := streams.KeyAgain(changed, was); is != was {
			_, err := tx.ExecContext(ctx, "UPDATE sync_coverage SET filter = ? WHERE stream = ? AND filter = ?", is.Filter, was.Stream, was.Filter)
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// publishAgain lists everything as changed, and that other files may have what was erased.
func publishAgain(ctx context.Context, tx *sql.Tx) error {
	statements := []string{"DELETE FROM sync_queries"}
	for _, table := range schema.Tables() {
		if table.Partition != schema.Unpartitioned && table.Derived == "" {
			statements = append(statements, layout.ListAll(table))
		}
	}
	if err := duckdb.Execute(ctx, tx, statements...); err != nil {
		return err
	}
	return layout.AddMeta(ctx, tx, layout.Erased, "")
}

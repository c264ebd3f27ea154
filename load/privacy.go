package load

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/flashback-sync/flashback-sync/load/duckdb"
	"github.com/flashback-sync/flashback-sync/schema"
)

// Treatments reads the policy that everything stored obeys; none if nothing says so.
func (r Reader) Treatments(ctx context.Context) (all []schema.Treated, err error) {
	rows, err := r.conn.QueryContext(ctx, "SELECT table_name, column_name, treatment, coalesce(key_id, '') FROM sync_privacy ORDER BY ALL")
	if duckdb.LacksTable(err) { // of an earlier release, opened for reading
		return nil, nil
	}
	if err != nil {
		return nil, duckdb.Wrap("read warehouse", err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var t schema.Treated
		if err := rows.Scan(&t.Table, &t.Column, &t.Treatment, &t.KeyID); err != nil {
			return nil, duckdb.Wrap("read warehouse", err)
		}
		all = append(all, t)
	}
	return all, duckdb.Wrap("read warehouse", rows.Err())
}

// SetTreatments records the policy.
func (w *Warehouse) SetTreatments(ctx context.Context, all []schema.Treated) error {
	return w.transact(ctx, "record privacy policy", func(tx *sql.Tx) error {
		return setTreatments(ctx, tx, all, w.options.Now().UTC())
	})
}

// setTreatments keeps the time of those that stay.
func setTreatments(ctx context.Context, tx *sql.Tx, all []schema.Treated, now time.Time) error {
	for _, t := range all {
		_, err := tx.ExecContext(ctx, `DELETE FROM sync_privacy WHERE table_name = $1 AND column_name = $2
			AND (treatment <> $3 OR key_id IS DISTINCT FROM nullif($4, ''))`, t.Table, t.Column, string(t.Treatment), t.KeyID)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO sync_privacy SELECT $1, $2, $3, nullif($4, ''), $5
			WHERE NOT EXISTS (SELECT 1 FROM sync_privacy WHERE table_name = $1 AND column_name = $2)`,
			t.Table, t.Column, string(t.Treatment), t.KeyID, now)
		if err != nil {
			return err
		}
	}
	return nil
}

// Holds reports whether a table has rows.
func (r Reader) Holds(ctx context.Context, table *schema.Table) (some bool, err error) {
	err = r.conn.QueryRowContext(ctx, fmt.Sprintf("SELECT EXISTS (SELECT 1 FROM %s)", schema.Ident(table.Name))).Scan(&some)
	return some, duckdb.Wrap("read warehouse", err)
}

// restorePrivacy records which policy the rows obey: that of the lake, from which they are.
// A column that either the lake or the analysts' file has as the source sent it counts as
// kept: then the next run asks for the policy to be applied.
func (b *rebuilding) restorePrivacy(ctx context.Context, tx *sql.Tx) error {
	for _, text := range b.remains.Sealed {
		if err := storeSealed(ctx, tx, text); err != nil {
			return err
		}
	}
	if !b.remains.Manifest {
		return nil // the analysts' file was copied, and says it
	}
	var all []schema.Treated
	for _, c := range schema.Treatable() {
		if b.done.Published && c.Table.Partition == schema.Unpartitioned {
			continue // its rows are those of the analysts' file
		}
		t := schema.Treated{Table: c.Table.Name, Column: c.Column.Name, Treatment: schema.Keep}
		for _, by := range b.remains.Privacy {
			if by.Table == t.Table && by.Column == t.Column {
				t = by
			}
		}
		if b.done.Published {
			var kept bool
			err := tx.QueryRowContext(ctx, "SELECT NOT EXISTS (FROM sync_privacy WHERE table_name = ? AND column_name = ? AND treatment <> 'keep')", t.Table, t.Column).Scan(&kept)
			if err != nil {
				return err
			}
			if kept {
				t.Treatment, t.KeyID = schema.Keep, ""
			}
		}
		all = append(all, t)
	}
	return setTreatments(ctx, tx, all, b.options.Now().UTC())
}

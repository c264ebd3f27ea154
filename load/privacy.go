package load

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"

	"github.com/flashback-sync/flashback-sync/load/duckdb"
	"github.com/flashback-sync/flashback-sync/load/layout"
	"github.com/flashback-sync/flashback-sync/schema"
)

// Treatments reads the policy that everything stored obeys; none if nothing says so.
func (r Reader) Treatments(ctx context.Context) (all []schema.Treated, err error) {
	all, err = duckdb.ReadRows(ctx, r.conn, func(t *schema.Treated) []any { return []any{&t.Table, &t.Column, &t.Treatment, &t.KeyID} },
		"SELECT table_name, column_name, treatment, coalesce(key_id, '') FROM sync_privacy ORDER BY ALL")
	if duckdb.LacksTable(err) { // of an earlier release, opened for reading
		return nil, nil
	}
	return all, duckdb.Wrap("read warehouse", err)
}

// SetTreatments records the policy.
func (w *Warehouse) SetTreatments(ctx context.Context, all []schema.Treated) error {
	return w.transact(ctx, "record privacy policy", func(tx *sql.Tx) error {
		return RecordTreatments(ctx, tx, all, w.options.Now().UTC())
	})
}

// RecordTreatments records the policy in a transaction. It keeps the time of what stays as it is.
func RecordTreatments(ctx context.Context, tx *sql.Tx, all []schema.Treated, now time.Time) error {
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

// Sealed lists the ids that commits stored encrypted.
func (r Reader) Sealed(ctx context.Context) ([]string, error) {
	all, err := layout.Meta(ctx, r.conn, layout.Sealed)
	return all, duckdb.Wrap("read warehouse", err)
}

// Applied lists the tombstones whose rows were erased from this warehouse.
func (r Reader) Applied(ctx context.Context) (all []schema.Tombstone, err error) {
	texts, err := layout.Meta(ctx, r.conn, layout.Tombstones)
	for _, text := range texts {
		var t schema.Tombstone
		if json.Unmarshal([]byte(text), &t) == nil {
			all = append(all, t)
		}
	}
	return all, duckdb.Wrap("read warehouse", err)
}

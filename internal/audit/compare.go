package audit

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/flashback-sync/flashback-sync/checkpoints"
	"github.com/flashback-sync/flashback-sync/load"
	"github.com/flashback-sync/flashback-sync/load/duckdb"
	"github.com/flashback-sync/flashback-sync/schema"
)

// samples is how many ids of each kind a comparison names.
const samples = 10

// Compare compares all the source's rows of a range, typed, with the stored ones. A
// reject counts as stored if it is in rejected_records, or was. The bounds of the finding are
// those of what differs, both inclusive; zero if nothing does, or it has no time.
func (r reader) Compare(ctx context.Context, of load.Range, batches []load.Rows, rejects []schema.Reject) (f Finding, err error) {
	err = r.inRollback(ctx, func(tx *sql.Tx) error {
		if err := receive(ctx, r.Conn(), tx, of.Table, batches); err != nil {
			return err
		}
		where, arguments := of.SQL()
		name := schema.Ident(of.Table.Name)
		stored := "(SELECT * FROM " + name + " WHERE " + where + ")"
		if err := f.tallyAll(ctx, tx, of.Table, of.Table.Key[0], relations{"received", name, stored}, arguments); err != nil {
			return err
		}
		for _, reject := range rejects {
			known, err := load.KnowsReject(ctx, tx, of.Table.Name, reject.Raw)
			if err != nil {
				return err
			}
			if !known {
				f.Missing++
			}
		}
		return nil
	})
	return f, err
}

// ComparePoints compares the closed buckets of one series, as the source gives them
// now, with those stored. Only buckets that begin within the given ranges count; source and
// stored are how many there are. The bounds of the finding are as those of Compare.
func (r reader) ComparePoints(ctx context.Context, table *schema.Table, series []load.Condition, within checkpoints.Set, batches []load.Rows) (f Finding, source, stored int64, err error) {
	err = r.inRollback(ctx, func(tx *sql.Tx) error {
		if err := receive(ctx, r.Conn(), tx, table, batches); err != nil {
			return err
		}
		inRange, ranges := load.Inside(schema.Ident(table.Time), within)
		ofSeries, values := load.Where(series)
		_, err := tx.ExecContext(ctx, fmt.Sprintf("CREATE OR REPLACE TEMP TABLE given AS SELECT * FROM received WHERE closed AND (%s)", inRange), ranges...)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, fmt.Sprintf("CREATE OR REPLACE TEMP TABLE stored AS SELECT * FROM %s WHERE closed AND (%s)%s", schema.Ident(table.Name), inRange, ofSeries),
			append(ranges, values...)...)
		if err != nil {
			return err
		}
		if err := tx.QueryRowContext(ctx, "SELECT (SELECT count(*) FROM given), (SELECT count(*) FROM stored)").Scan(&source, &stored); err != nil {
			return err
		}
		return f.tallyAll(ctx, tx, table, table.Time, relations{"given", "stored", "stored"}, nil)
	})
	return f, source, stored, err
}

// relations are what is compared: the source's rows, the stored ones among which each is
// looked for, and those that the source should have.
type relations struct{ given, whole, stored string }

// tallyAll counts what differs between the source and what is stored. The samples are of a
// column. The arguments are those of the stored rows.
func (f *Finding) tallyAll(ctx context.Context, tx *sql.Tx, table *schema.Table, samples string, of relations, arguments []any) error {
	named := strings.NewReplacer("{key}", duckdb.SameKey(table, "i", "t"), "{differs}", duckdb.Differs(table), "{at}", schema.Ident(table.Time),
		"{sample}", schema.Ident(samples), "{given}", of.given, "{whole}", of.whole, "{stored}", of.stored)
	for _, step := range []struct {
		count     *int64
		query     string
		arguments []any
	}{
		{&f.Missing, "SELECT i.{sample}::VARCHAR, i.{at} FROM {given} i ANTI JOIN {whole} t ON {key}", nil},
		{&f.Differs, "SELECT i.{sample}::VARCHAR, i.{at} FROM {given} i JOIN {whole} t ON {key} WHERE t.{at} <> i.{at} OR {differs}", nil},
		{&f.Extra, "SELECT t.{sample}::VARCHAR, t.{at} FROM {stored} t ANTI JOIN {given} i ON {key}", arguments},
	} {
		if err := f.tally(ctx, tx, step.count, named.Replace(step.query), step.arguments); err != nil {
			return err
		}
	}
	return nil
}

// inRollback runs a transaction that is rolled back in any case.
func (r reader) inRollback(ctx context.Context, do func(tx *sql.Tx) error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	tx, err := r.Conn().BeginTx(ctx, nil)
	if err == nil {
		err = do(tx)
		if rollbackErr := tx.Rollback(); err == nil {
			err = rollbackErr
		}
	}
	if err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	return duckdb.Wrap("compare", err)
}

// receive writes batches to the temporary table received.
func receive(ctx context.Context, conn *sql.Conn, tx *sql.Tx, table *schema.Table, batches []load.Rows) error {
	columns := duckdb.List(table.Batch(), func(c schema.Column) string { return schema.Ident(c.Name) + " " + c.Type.DuckDB() })
	if _, err := tx.ExecContext(ctx, "CREATE OR REPLACE TEMP TABLE received ("+columns+")"); err != nil {
		return err
	}
	for _, rows := range batches {
		err := duckdb.WithView(conn, rows.Record, func() error {
			_, err := tx.ExecContext(ctx, "INSERT INTO received SELECT * FROM incoming")
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// tally counts the keys that a query gives, and keeps some of them.
func (f *Finding) tally(ctx context.Context, tx *sql.Tx, count *int64, query string, arguments []any) error {
	type row struct {
		key string
		at  time.Time
	}
	rows, err := duckdb.ReadRows(ctx, tx, func(r *row) []any { return []any{&r.key, &r.at} }, query, arguments...)
	for i, r := range rows {
		if f.From.IsZero() || r.at.Before(f.From) {
			f.From = r.at.UTC()
		}
		if r.at.After(f.To) {
			f.To = r.at.UTC()
		}
		if i < samples {
			f.Samples = append(f.Samples, r.key)
		}
	}
	*count = int64(len(rows))
	return err
}

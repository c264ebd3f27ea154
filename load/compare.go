package load

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/flashback-sync/flashback-sync/checkpoints"
	"github.com/flashback-sync/flashback-sync/load/duckdb"
	"github.com/flashback-sync/flashback-sync/schema"
)

// Comparison says how the source's rows of a range differ from those held.
type Comparison struct {
	// Source and Stored are the buckets of a series that were compared, each counted
	// on its own side. Lists are counted range by range instead.
	Source, Stored int64

	Missing int64 // at the source, not held
	Extra   int64 // held, no longer at the source
	Differs int64 // held with other values, or at another time
	Samples []string
	// Oldest and Newest bound the time of what differs, both inclusive; zero if
	// nothing does, or it has no time.
	Oldest, Newest time.Time
}

// samples is how many ids of each kind a comparison names.
const samples = 10

// Compare compares all the source's rows of a range, typed, with those held. A
// reject counts as held if it is in quarantine, or was.
func (h Holdings) Compare(ctx context.Context, r Range, batches []Rows, rejects []Reject) (c Comparison, err error) {
	err = h.rehearse(ctx, func(tx *sql.Tx) error {
		s := statements{r.Table}
		if err := s.receive(ctx, h.conn, tx, batches); err != nil {
			return err
		}
		where, arguments := r.where()
		id, at, name := schema.Ident(r.Table.Key[0]), schema.Ident(r.Table.Time), schema.Ident(r.Table.Name)
		steps := []struct {
			count     *int64
			query     string
			arguments []any
		}{
			{&c.Missing, fmt.Sprintf("SELECT %[1]s, %[3]s FROM received ANTI JOIN %[2]s USING (%[1]s)", id, name, at), nil},
			{&c.Differs, fmt.Sprintf("SELECT i.%[1]s, i.%[3]s FROM received i JOIN %[2]s t USING (%[1]s) WHERE t.%[3]s <> i.%[3]s OR %[4]s",
				id, name, at, duckdb.Differs(s.Table)), nil},
			{&c.Extra, fmt.Sprintf("SELECT %[1]s, %[4]s FROM (SELECT * FROM %[2]s WHERE %[3]s) ANTI JOIN received USING (%[1]s)", id, name, where, at), arguments},
		}
		for _, step := range steps {
			if err := c.tally(ctx, tx, step.count, step.query, step.arguments); err != nil {
				return err
			}
		}
		return c.tallyRejects(ctx, tx, h.prefix, r.Table.Name, rejects)
	})
	return c, err
}

// ComparePoints compares the closed buckets of one series, as the source gives them
// now, with those stored. Only buckets that begin within the given ranges count.
func (h Holdings) ComparePoints(ctx context.Context, table *schema.Table, series []Condition, within checkpoints.Set, batches []Rows) (c Comparison, err error) {
	err = h.rehearse(ctx, func(tx *sql.Tx) error {
		s := statements{table}
		if err := s.receive(ctx, h.conn, tx, batches); err != nil {
			return err
		}
		at, name := schema.Ident(table.Time), schema.Ident(table.Name)
		inRange, ranges := inside(at, within)
		ofSeries, values := all(series)
		_, err := tx.ExecContext(ctx, fmt.Sprintf("CREATE OR REPLACE TEMP TABLE given AS SELECT * FROM received WHERE closed AND (%s)", inRange), ranges...)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, fmt.Sprintf("CREATE OR REPLACE TEMP TABLE stored AS SELECT * FROM %s WHERE closed AND (%s)%s", name, inRange, ofSeries),
			append(ranges, values...)...)
		if err != nil {
			return err
		}
		if err := tx.QueryRowContext(ctx, "SELECT (SELECT count(*) FROM given), (SELECT count(*) FROM stored)").Scan(&c.Source, &c.Stored); err != nil {
			return err
		}
		key := duckdb.SameKey(s.Table, "i", "t")
		return errors.Join(
			c.tally(ctx, tx, &c.Missing, fmt.Sprintf("SELECT i.%[1]s::VARCHAR, i.%[1]s FROM given i ANTI JOIN stored t ON %[2]s", at, key), nil),
			c.tally(ctx, tx, &c.Extra, fmt.Sprintf("SELECT t.%[1]s::VARCHAR, t.%[1]s FROM stored t ANTI JOIN given i ON %[2]s", at, key), nil),
			c.tally(ctx, tx, &c.Differs, fmt.Sprintf("SELECT i.%[1]s::VARCHAR, i.%[1]s FROM given i JOIN stored t ON %[2]s WHERE %[3]s", at, key, duckdb.Differs(s.Table)), nil))
	})
	return c, err
}

func inside(column string, set checkpoints.Set) (clause string, arguments []any) {
	terms := []string{"false"}
	for _, i := range set {
		terms = append(terms, fmt.Sprintf("(%[1]s >= ? AND %[1]s < ?)", column))
		arguments = append(arguments, i.From, i.To)
	}
	return strings.Join(terms, " OR "), arguments
}

// rehearse runs a transaction that is rolled back in any case.
func (h Holdings) rehearse(ctx context.Context, do func(tx *sql.Tx) error) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	tx, err := h.conn.BeginTx(ctx, nil)
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

// receive gathers batches in the temporary table received.
func (s statements) receive(ctx context.Context, conn *sql.Conn, tx *sql.Tx, batches []Rows) error {
	types := make([]string, 0, len(s.Columns))
	for _, c := range s.Batch() {
		types = append(types, schema.Ident(c.Name)+" "+c.Type.DuckDB())
	}
	if _, err := tx.ExecContext(ctx, "CREATE OR REPLACE TEMP TABLE received ("+strings.Join(types, ", ")+")"); err != nil {
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
func (c *Comparison) tally(ctx context.Context, tx *sql.Tx, count *int64, query string, arguments []any) error {
	rows, err := tx.QueryContext(ctx, query, arguments...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var key string
		var at time.Time
		if err := rows.Scan(&key, &at); err != nil {
			return err
		}
		c.widen(at.UTC())
		if *count++; *count <= samples {
			c.Samples = append(c.Samples, key)
		}
	}
	return rows.Err()
}

func (c *Comparison) widen(at time.Time) {
	if c.Oldest.IsZero() || at.Before(c.Oldest) {
		c.Oldest = at
	}
	if at.After(c.Newest) {
		c.Newest = at
	}
}

func (c *Comparison) tallyRejects(ctx context.Context, tx *sql.Tx, prefix, stream string, rejects []Reject) error {
	for _, reject := range rejects {
		known, err := KnowsReject(ctx, tx, prefix, stream, reject.Raw)
		if err != nil {
			return err
		}
		if !known {
			c.Missing++
		}
	}
	return nil
}

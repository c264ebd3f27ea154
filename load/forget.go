package load

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/flashback-sync/flashback-sync/load/duckdb"
	"github.com/flashback-sync/flashback-sync/schema"
)

// Forgetting says which rows and texts are erased.
type Forgetting struct {
	// Tombstones are recorded as applied.
	Tombstones []schema.Tombstone
	// IDs report of stored values of id columns whether rows with them are erased.
	IDs []ErasedID
	// Mentioned reports whether a text is erased.
	Mentioned func(text string) bool
	// Reject reports of a reject's text whether it is erased.
	Reject func(stream, raw string) bool
}

// ErasedID says of the values of an id column whether their rows are erased.
type ErasedID struct {
	schema.TableColumn
	Erased func(stored string) bool
}

// Forgot is what was erased.
type Forgot struct {
	Rows    map[string]int64 `json:"rows"`    // removed, by table of the source
	Texts   map[string]int64 `json:"texts"`   // rows of others that lost a text or a name, by table
	Days    int              `json:"days"`    // UTC days of these rows
	Rejects int64            `json:"rejects"` // removed
}

// appliedTombstone is the key in internal.meta of each tombstone that the warehouse obeys.
const appliedTombstone = "tombstone"

// Applied lists the tombstones whose rows were erased from this warehouse.
func (r Reader) Applied(ctx context.Context) (all []schema.Tombstone, err error) {
	return r.AppliedIn(ctx, "")
}

// AppliedIn is Applied where another database is open too; the prefix is that of the
// warehouse's tables.
func (r Reader) AppliedIn(ctx context.Context, prefix string) (all []schema.Tombstone, err error) {
	texts, err := r.texts(ctx, "SELECT value FROM "+prefix+"internal.meta WHERE key = ?", appliedTombstone)
	for _, text := range texts {
		var t schema.Tombstone
		if json.Unmarshal([]byte(text), &t) == nil {
			all = append(all, t)
		}
	}
	return all, err
}

// Forget erases rows and texts: the file is made anew without them, see Rewrite. The days
// that they were of are computed again when everything is published.
func (w *Warehouse) Forget(ctx context.Context, f Forgetting) (Forgot, error) {
	e := erasing{Forgetting: f}
	done, err := w.Rewrite(ctx, e.rewriting())
	if err != nil {
		return Forgot{}, err
	}
	forgot := Forgot{Rows: map[string]int64{}, Texts: map[string]int64{}, Days: len(e.days), Rejects: done.Removed[schema.RejectedRecords().Name]}
	for _, table := range e.tables() {
		if n := done.Removed[table.Name]; n > 0 {
			forgot.Rows[table.Name] = n
		}
		if n := done.Changed[table.Name]; n > 0 {
			forgot.Texts[table.Name] = n
		}
	}
	return forgot, nil
}

// erasing is a Forget in progress.
type erasing struct {
	Forgetting
	days []time.Time // of which something is erased
}

// tables are those with rows of the source that have ids or texts.
func (e *erasing) tables() (all []*schema.Table) {
	for _, s := range schema.Streams() {
		for _, t := range []*schema.Table{s.Table, s.Summary} {
			if t != nil && (len(t.Mentioning()) > 0 || e.stays(t) != "true") {
				all = append(all, t)
			}
		}
	}
	return all
}

func (e *erasing) functions() map[string]Function {
	functions := map[string]Function{
		"mentioned": {1, func(a []*string) *string { return found(a[0] != nil && e.Mentioned(*a[0])) }},
		"erased_reject": {2, func(a []*string) *string {
			return found(a[0] != nil && a[1] != nil && e.Reject(*a[0], *a[1]))
		}},
	}
	for i, id := range e.IDs {
		functions[erasedFunction(i)] = Function{1, remembering(id.Erased)}
	}
	return functions
}

func erasedFunction(i int) string { return fmt.Sprintf("erased_%d", i) }

// found is how a function says yes; no is NULL.
func found(yes bool) *string {
	if yes {
		return new("")
	}
	return nil
}

// remembering remembers answers: rows have few different ids.
func remembering(erased func(string) bool) func([]*string) *string {
	const most = 10_000
	known := map[string]bool{}
	return func(a []*string) *string {
		if a[0] == nil {
			return nil
		}
		yes, ok := known[*a[0]]
		if !ok {
			if len(known) >= most {
				clear(known)
			}
			yes = erased(*a[0])
			known[*a[0]] = yes
		}
		return found(yes)
	}
}

// stays is the condition that a row is not of somebody erased.
func (e *erasing) stays(t *schema.Table) string {
	conditions := []string{"true"}
	for i, id := range e.IDs {
		if id.Table.Name == t.Name {
			conditions = append(conditions, fmt.Sprintf("%s(%s) IS NULL", erasedFunction(i), schema.Ident(id.Column.Name)))
		}
	}
	return strings.Join(conditions[min(1, len(conditions)-1):], " AND ")
}

// mentions is the condition that a column mentions somebody erased.
func mentions(c schema.Column) string {
	condition := fmt.Sprintf("mentioned(%s::VARCHAR) IS NOT NULL", schema.Ident(c.Name))
	if c.NamesUser() {
		condition += fmt.Sprintf(" AND coalesce(%s, '') = ''", schema.Ident(c.IDOf))
	}
	return condition
}

func (e *erasing) rewriting() Rewriting {
	const sentence = "removed: it named somebody who was forgotten"
	r := Rewriting{
		Functions: e.functions(),
		Where:     map[string]string{schema.RejectedRecords().Name: "erased_reject(stream, raw) IS NULL"},
		Columns: map[string]map[string]string{schema.SyncRuns().Name: {
			"error": "CASE WHEN mentioned(error) IS NULL THEN error ELSE " + schema.Literal(sentence) + " END",
		}},
		Before: e.listDays,
		Then:   e.record,
	}
	for _, t := range e.tables() {
		r.Where[t.Name] = e.stays(t)
		r.Columns[t.Name] = map[string]string{}
		for _, c := range t.Mentioning() {
			r.Columns[t.Name][c.Name] = fmt.Sprintf("CASE WHEN %s THEN NULL ELSE %s END", mentions(c), schema.Ident(c.Name))
		}
	}
	for _, t := range schema.Tables() {
		if t.Derived != "" {
			r.Where[t.Name] = schema.Ident(t.Time) + " NOT IN (SELECT day FROM temp.erased_days)"
		}
	}
	return r
}

// daysQuery lists the days of which something is erased. A derived table may have a name
// that no row of its day has: the latest one.
func (e *erasing) daysQuery(prefix string) string {
	queries := []string{"SELECT NULL::DATE AS day WHERE false"}
	for _, t := range e.tables() {
		if t.Partition != schema.ByDay { // no derived table has its rows
			continue
		}
		queries = append(queries, fmt.Sprintf("SELECT CAST(make_timestamp(epoch_us(%s)) AS DATE) FROM %s%s WHERE %s",
			schema.Ident(t.Time), prefix, schema.Ident(t.Name), e.touched(t)))
	}
	for _, t := range schema.Tables() {
		for _, c := range t.Columns {
			if t.Derived != "" && c.Type == schema.Text && len(c.Values) == 0 {
				queries = append(queries, fmt.Sprintf("SELECT %s FROM %s%s WHERE mentioned(%s) IS NOT NULL",
					schema.Ident(t.Time), prefix, schema.Ident(t.Name), schema.Ident(c.Name)))
			}
		}
	}
	return strings.Join(queries, " UNION ")
}

// touched is the condition that a row is erased, or a text of it.
func (e *erasing) touched(t *schema.Table) string {
	conditions := []string{"NOT (" + e.stays(t) + ")"}
	for _, c := range t.Mentioning() {
		conditions = append(conditions, "("+mentions(c)+")")
	}
	return strings.Join(conditions, " OR ")
}

func (e *erasing) listDays(ctx context.Context, tx *sql.Tx) error {
	if _, err := tx.ExecContext(ctx, "CREATE TEMP TABLE erased_days AS "+e.daysQuery(former+".main.")); err != nil {
		return err
	}
	var err error
	e.days, err = scanTimes(tx.QueryContext(ctx, "SELECT DISTINCT day FROM temp.erased_days WHERE day IS NOT NULL ORDER BY day"))
	return err
}

// record records the tombstones, that other files may still have what was erased, and the
// days to compute again.
func (e *erasing) record(ctx context.Context, tx *sql.Tx) error {
	if err := recordApplied(ctx, tx, e.Tombstones); err != nil {
		return err
	}
	for _, t := range e.tables() {
		if t.Partition != schema.ByDay {
			continue
		}
		for _, day := range e.days {
			if err := listChanged(ctx, tx, t.Name, day); err != nil {
				return err
			}
		}
		break // a day is computed again if one of its tables changed
	}
	_, err := tx.ExecContext(ctx, "INSERT INTO internal.meta SELECT $1, '' WHERE NOT EXISTS (FROM internal.meta WHERE key = $1)", erased)
	return err
}

func recordApplied(ctx context.Context, tx *sql.Tx, all []schema.Tombstone) error {
	if _, err := tx.ExecContext(ctx, "DELETE FROM internal.meta WHERE key = ?", appliedTombstone); err != nil {
		return err
	}
	for _, t := range all {
		text, err := json.Marshal(t)
		if err == nil {
			_, err = tx.ExecContext(ctx, "INSERT INTO internal.meta VALUES (?, ?)", appliedTombstone, string(text))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// SetApplied records tombstones that need no erasing.
func (w *Warehouse) SetApplied(ctx context.Context, all []schema.Tombstone) error {
	return w.transact(ctx, "record tombstones", func(tx *sql.Tx) error { return recordApplied(ctx, tx, all) })
}

// CountForgotten counts what Forget would erase. It writes nothing.
func (r Reader) CountForgotten(ctx context.Context, f Forgetting) (Forgot, error) {
	e := erasing{Forgetting: f}
	forgot := Forgot{Rows: map[string]int64{}, Texts: map[string]int64{}}
	for name, function := range e.functions() {
		if err := duckdb.RegisterFunction(r.conn, name, function.Arguments, function.Call); err != nil {
			return forgot, duckdb.Wrap("read warehouse", err)
		}
	}
	for _, t := range e.tables() {
		var rows, texts int64
		err := r.conn.QueryRowContext(ctx, fmt.Sprintf("SELECT count(*) FILTER (NOT (%[1]s)), count(*) FILTER ((%[1]s) AND (%[2]s)) FROM %[3]s",
			e.stays(t), e.touched(t), schema.Ident(t.Name))).Scan(&rows, &texts)
		if err != nil {
			return forgot, duckdb.Wrap("read warehouse", err)
		}
		if rows > 0 {
			forgot.Rows[t.Name] = rows
		}
		if texts > 0 {
			forgot.Texts[t.Name] = texts
		}
	}
	err := r.conn.QueryRowContext(ctx, "SELECT (SELECT count(*) FROM rejected_records WHERE erased_reject(stream, raw) IS NOT NULL), (SELECT count(DISTINCT day) FROM ("+
		e.daysQuery("")+") WHERE day IS NOT NULL)").Scan(&forgot.Rejects, &forgot.Days)
	return forgot, duckdb.Wrap("read warehouse", err)
}

// OnlyErased reports whether a Parquet file of a table has rows, and all of them are of
// these ids. A file that cannot be read has others.
func (r Reader) OnlyErased(ctx context.Context, t *schema.Table, file string, ids []ErasedID) (only bool, err error) {
	ids = slices.DeleteFunc(slices.Clone(ids), func(id ErasedID) bool { return id.Table.Name != t.Name })
	if len(ids) == 0 {
		return false, nil
	}
	names := make([]string, len(ids))
	for i, id := range ids {
		names[i] = schema.Ident(id.Column.Name)
	}
	file, err = filepath.Abs(file)
	if err != nil {
		return false, err
	}
	rows, err := r.conn.QueryContext(ctx, fmt.Sprintf("SELECT DISTINCT %s FROM read_parquet(%s, hive_partitioning = false)", strings.Join(names, ", "), schema.Literal(file)))
	if err != nil {
		return false, ctx.Err()
	}
	defer func() { _ = rows.Close() }()
	values, targets := make([]sql.NullString, len(ids)), make([]any, len(ids))
	for i := range values {
		targets[i] = &values[i]
	}
	for rows.Next() {
		if rows.Scan(targets...) != nil {
			return false, ctx.Err()
		}
		only = slices.ContainsFunc(ids, func(id ErasedID) bool {
			value := values[slices.IndexFunc(ids, func(o ErasedID) bool { return o.Column.Name == id.Column.Name })]
			return value.Valid && id.Erased(value.String)
		})
		if !only {
			break
		}
	}
	if rows.Err() != nil {
		return false, ctx.Err()
	}
	return only, nil
}

// Names lists the names that the rows of these ids have, and those that rows of other ids
// have.
func (r Reader) Names(ctx context.Context, ids []ErasedID) (own, others []string, err error) {
	for _, id := range ids {
		for _, c := range id.Table.Columns {
			if c.IDOf != id.Column.Name {
				continue
			}
			named, rest, err := r.namesIn(ctx, id, c)
			if err != nil {
				return nil, nil, duckdb.Wrap("read warehouse", err)
			}
			own, others = append(own, named...), append(others, rest...)
		}
	}
	return own, others, nil
}

func (r Reader) namesIn(ctx context.Context, id ErasedID, names schema.Column) (own, others []string, err error) {
	rows, err := r.conn.QueryContext(ctx, fmt.Sprintf("SELECT DISTINCT %[1]s, %[2]s FROM %[3]s WHERE %[1]s <> '' AND %[2]s <> ''",
		schema.Ident(id.Column.Name), schema.Ident(names.Name), schema.Ident(id.Table.Name)))
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var of, name string
		if err := rows.Scan(&of, &name); err != nil {
			return nil, nil, err
		}
		if id.Erased(of) {
			own = append(own, name)
		} else {
			others = append(others, name)
		}
	}
	return own, others, rows.Err()
}

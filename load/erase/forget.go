package erase

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/flashback-sync/flashback-sync/load"
	"github.com/flashback-sync/flashback-sync/load/duckdb"
	"github.com/flashback-sync/flashback-sync/load/layout"
	"github.com/flashback-sync/flashback-sync/load/rewrite"
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

// Forget erases rows and texts: the file is made anew without them, see
// load.Warehouse.Rewrite. The days that they were of are computed again when everything is
// published.
func Forget(ctx context.Context, w *load.Warehouse, f Forgetting) (Forgot, error) {
	e := erasing{Forgetting: f}
	done, err := w.Rewrite(ctx, e.changes())
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

func (e *erasing) functions() map[string]rewrite.Function {
	functions := map[string]rewrite.Function{
		"mentioned": {Arguments: 1, Call: func(a []*string) *string { return found(a[0] != nil && e.Mentioned(*a[0])) }},
		"erased_reject": {Arguments: 2, Call: func(a []*string) *string {
			return found(a[0] != nil && a[1] != nil && e.Reject(*a[0], *a[1]))
		}},
	}
	for i, id := range e.IDs {
		functions[erasedFunction(i)] = rewrite.Function{Arguments: 1, Call: remembering(id.Erased)}
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
	condition := "true"
	for i, id := range e.IDs {
		if id.Table.Name == t.Name {
			condition += fmt.Sprintf(" AND %s(%s) IS NULL", erasedFunction(i), schema.Ident(id.Column.Name))
		}
	}
	return condition
}

// mentions is the condition that a column mentions somebody erased.
func mentions(c schema.Column) string {
	condition := fmt.Sprintf("mentioned(%s::VARCHAR) IS NOT NULL", schema.Ident(c.Name))
	if c.NamesUser() {
		condition += fmt.Sprintf(" AND coalesce(%s, '') = ''", schema.Ident(c.IDOf))
	}
	return condition
}

func (e *erasing) changes() rewrite.Changes {
	const sentence = "removed: it named somebody who was forgotten"
	r := rewrite.Changes{
		Functions: e.functions(),
		Where:     keepOtherDays(),
		Columns: map[string]map[string]string{schema.SyncRuns().Name: {
			"error": "CASE WHEN mentioned(error) IS NULL THEN error ELSE " + schema.Literal(sentence) + " END",
		}},
		Before: e.listDays,
		Then:   e.record,
	}
	r.Where[schema.RejectedRecords().Name] = "erased_reject(stream, raw) IS NULL"
	for _, t := range e.tables() {
		r.Where[t.Name] = e.stays(t)
		r.Columns[t.Name] = map[string]string{}
		for _, c := range t.Mentioning() {
			r.Columns[t.Name][c.Name] = fmt.Sprintf("CASE WHEN %s THEN NULL ELSE %s END", mentions(c), schema.Ident(c.Name))
		}
	}
	return r
}

// daysQueries list the days of which something is erased. A derived table may have a name
// that no row of its day has: the latest one.
func (e *erasing) daysQueries(prefix string) (queries []string) {
	for _, t := range e.tables() {
		if t.Partition == schema.ByDay { // no derived table has rows of others
			queries = append(queries, daysWhere(t, prefix, e.touched(t)))
		}
	}
	for _, t := range schema.Tables() {
		for _, c := range t.Columns {
			if t.Derived != "" && c.Type == schema.Text && len(c.Values) == 0 {
				queries = append(queries, fmt.Sprintf("SELECT %s FROM %s%s WHERE mentioned(%s) IS NOT NULL",
					schema.Ident(t.Time), prefix, schema.Ident(t.Name), schema.Ident(c.Name)))
			}
		}
	}
	return queries
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
	err := listDays(ctx, tx, e.daysQueries(rewrite.Old+".main."))
	if err == nil {
		e.days, err = duckdb.ReadColumn[time.Time](ctx, tx, "SELECT day FROM temp.erased_days WHERE day IS NOT NULL ORDER BY day")
	}
	return err
}

// record records the tombstones, that other files may still have what was erased, and the
// days to compute again.
func (e *erasing) record(ctx context.Context, tx *sql.Tx) error {
	if err := recordApplied(ctx, tx, e.Tombstones); err != nil {
		return err
	}
	byDay := slices.DeleteFunc(e.tables(), func(t *schema.Table) bool { return t.Partition != schema.ByDay })
	for _, day := range e.days { // a day is computed again if one of its tables changed
		if err := layout.ListChanged(ctx, tx, byDay[0].Name, day); err != nil {
			return err
		}
	}
	return layout.AddMeta(ctx, tx, pending, "")
}

func recordApplied(ctx context.Context, tx *sql.Tx, all []schema.Tombstone) error {
	texts := make([]string, len(all))
	for i, t := range all {
		text, err := json.Marshal(t)
		if err != nil {
			return err
		}
		texts[i] = string(text)
	}
	return layout.SetMeta(ctx, tx, layout.Tombstones, texts...)
}

// SetApplied records tombstones that need no erasing.
func SetApplied(ctx context.Context, w *load.Warehouse, all []schema.Tombstone) error {
	return duckdb.Transact(ctx, w.Conn(), "record tombstones", func(tx *sql.Tx) error { return recordApplied(ctx, tx, all) })
}

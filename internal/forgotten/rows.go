package forgotten

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/flashback-sync/flashback-sync/load/derived"
	"github.com/flashback-sync/flashback-sync/load/duckdb"
	"github.com/flashback-sync/flashback-sync/load/layout"
	"github.com/flashback-sync/flashback-sync/load/rewrite"
	"github.com/flashback-sync/flashback-sync/schema"
	"github.com/flashback-sync/flashback-sync/transform"
)

// Forgot is what was erased.
type Forgot struct {
	Rows    map[string]int64 `json:"rows"`    // removed, by table of the source
	Texts   map[string]int64 `json:"texts"`   // rows of others that lost a text or a name, by table
	Days    int              `json:"days"`    // UTC days of these rows
	Rejects int64            `json:"rejects"` // removed
}

// erasing is SQL that tells which stored rows and texts are erased: those that a policy hides.
type erasing struct {
	policy *transform.Policy
	ids    []schema.TableColumn // the columns that say whose a row is
	days   []time.Time          // of which something was erased
}

func newErasing(policy *transform.Policy) *erasing {
	e := &erasing{policy: policy}
	if policy.Withholds() {
		for _, entity := range schema.Entities {
			e.ids = append(e.ids, schema.Identifying(entity)...)
		}
	}
	return e
}

// count counts what would be erased. It writes nothing.
func (e *erasing) count(ctx context.Context, conn *sql.Conn) (Forgot, error) {
	forgot := Forgot{Rows: map[string]int64{}, Texts: map[string]int64{}}
	err := duckdb.RegisterFunctions(conn, e.functions())
	for _, t := range e.tables() {
		var rows, texts int64
		if err == nil {
			err = conn.QueryRowContext(ctx, fmt.Sprintf("SELECT count(*) FILTER (NOT (%[1]s)), count(*) FILTER ((%[1]s) AND (%[2]s)) FROM %[3]s",
				e.stays(t), e.touched(t), schema.Ident(t.Name))).Scan(&rows, &texts)
		}
		forgot.note(t, rows, texts)
	}
	if err == nil {
		err = conn.QueryRowContext(ctx, "SELECT (SELECT count(*) FROM rejected_records WHERE erased_reject(stream, raw) IS NOT NULL), (SELECT count(DISTINCT day) FROM ("+
			strings.Join(e.daysQueries(""), " UNION ")+") WHERE day IS NOT NULL)").Scan(&forgot.Rejects, &forgot.Days)
	}
	return forgot, duckdb.Wrap("read warehouse", err)
}

func (f *Forgot) note(t *schema.Table, rows, texts int64) {
	if rows > 0 {
		f.Rows[t.Name] = rows
	}
	if texts > 0 {
		f.Texts[t.Name] = texts
	}
}

// OnlyErased reports whether a Parquet file of a table has rows, and a policy erases all of
// them. A file that cannot be read has others.
func OnlyErased(ctx context.Context, policy *transform.Policy, t *schema.Table, file string) (only bool, err error) {
	e := newErasing(policy)
	if e.stays(t) == "true" {
		return false, nil
	}
	if file, err = filepath.Abs(file); err != nil {
		return false, err
	}
	session := duckdb.Session{MemoryLimit: duckdb.LeastMemory, Folder: filepath.Dir(file) + string(filepath.Separator)}
	err = duckdb.Use(ctx, "", session, func(conn *sql.Conn) error {
		if err := duckdb.RegisterFunctions(conn, e.functions()); err != nil {
			return err
		}
		return conn.QueryRowContext(ctx, fmt.Sprintf("SELECT coalesce(bool_and(NOT (%s)), false) FROM read_parquet(%s, hive_partitioning = false)",
			e.stays(t), schema.Literal(file))).Scan(&only)
	})
	if err != nil {
		return false, ctx.Err()
	}
	return only, nil
}

// tables are those with rows of the source that have ids or texts.
func (e *erasing) tables() (all []*schema.Table) {
	for _, s := range schema.Streams() {
		for _, t := range s.Tables() {
			if len(t.Mentioning()) > 0 || e.stays(t) != "true" {
				all = append(all, t)
			}
		}
	}
	return all
}

func (e *erasing) functions() map[string]duckdb.Function {
	mentioned := e.policy.Mentioned()
	rejects := map[string]func(raw string) bool{}
	for _, s := range schema.Streams() {
		rejects[s.Name] = e.policy.ErasedReject(s)
	}
	functions := map[string]duckdb.Function{
		"mentioned": {Arguments: 1, Call: func(a []*string) *string { return found(a[0] != nil && mentioned(*a[0])) }},
		"erased_reject": {Arguments: 2, Call: func(a []*string) *string {
			return found(a[0] != nil && a[1] != nil && rejects[*a[0]] != nil && rejects[*a[0]](*a[1]))
		}},
	}
	for i, id := range e.ids {
		functions[erasedFunction(i)] = duckdb.Function{Arguments: 1, Call: remembering(e.policy.Erased(id))}
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
	for i, id := range e.ids {
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

// changes make the file anew without what is erased. The tombstones are recorded as applied.
func (e *erasing) changes(tombstones []schema.Tombstone) rewrite.Changes {
	const sentence = "removed: it named somebody who was forgotten"
	r := rewrite.Changes{
		Functions: e.functions(),
		Where:     derived.OtherDays(),
		Columns: map[string]map[string]string{schema.SyncRuns().Name: {
			"error": "CASE WHEN mentioned(error) IS NULL THEN error ELSE " + schema.Literal(sentence) + " END",
		}},
		Before: func(ctx context.Context, tx *sql.Tx) error {
			err := derived.ListDays(ctx, tx, e.daysQueries(rewrite.Old+".main."))
			if err == nil {
				e.days, err = duckdb.ReadColumn[time.Time](ctx, tx, "SELECT day FROM temp.erased_days WHERE day IS NOT NULL ORDER BY day")
			}
			return err
		},
		Then: func(ctx context.Context, tx *sql.Tx) error { return e.record(ctx, tx, tombstones) },
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
			queries = append(queries, derived.DaysOf(t, prefix, e.touched(t)))
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

// record records the tombstones, that other files may still have what was erased, and the
// days to compute again.
func (e *erasing) record(ctx context.Context, tx *sql.Tx, tombstones []schema.Tombstone) error {
	if err := recordApplied(ctx, tx, tombstones); err != nil {
		return err
	}
	byDay := slices.DeleteFunc(e.tables(), func(t *schema.Table) bool { return t.Partition != schema.ByDay })
	// A day is computed again if one of its tables changed.
	if err := layout.ListChanged(ctx, tx, byDay[0].Name, e.days...); err != nil {
		return err
	}
	return layout.AddMeta(ctx, tx, layout.Erased, "")
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

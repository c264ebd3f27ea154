package load

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/flashback-sync/flashback-sync/checkpoints"
	"github.com/flashback-sync/flashback-sync/schema"
)

// Condition limits rows to those whose column has one of the values, as text, or
// is NULL if there are none.
type Condition struct {
	Column string
	Values []string
}

// Range is a part of a table: [From, To) of its time column, and what else the
// rows have in common.
type Range struct {
	Table *schema.Table
	checkpoints.Interval
	Where []Condition
}

// SQL is the range as a condition. Values are bound, never written into the text.
func (r Range) SQL() (clause string, arguments []any) {
	at := schema.Ident(r.Table.Time)
	clause, arguments = Where(r.Where)
	return at + " >= ? AND " + at + " < ?" + clause, append([]any{r.From, r.To}, arguments...)
}

// Where is SQL that every condition is met, to follow another condition.
func Where(conditions []Condition) (clause string, arguments []any) {
	for _, c := range conditions {
		if len(c.Values) == 0 {
			clause += " AND " + schema.Ident(c.Column) + " IS NULL"
			continue
		}
		marks := make([]string, len(c.Values))
		for i, value := range c.Values {
			marks[i], arguments = "?", append(arguments, value)
		}
		clause += fmt.Sprintf(" AND %s::VARCHAR IN (%s)", schema.Ident(c.Column), strings.Join(marks, ", "))
	}
	return clause, arguments
}

// Inside is SQL that a time is in one of the intervals.
func Inside(column string, set checkpoints.Set) (clause string, arguments []any) {
	terms := []string{"false"}
	for _, i := range set {
		terms = append(terms, fmt.Sprintf("(%[1]s >= ? AND %[1]s < ?)", column))
		arguments = append(arguments, i.From, i.To)
	}
	return strings.Join(terms, " OR "), arguments
}

// Middle is the time of the middle row of the range; the zero time if there is none.
func (r Reader) Middle(ctx context.Context, of Range) (time.Time, error) {
	where, arguments := of.SQL()
	query := fmt.Sprintf("SELECT quantile_disc(%s, 0.5) FROM %s WHERE %s", schema.Ident(of.Table.Time), schema.Ident(of.Table.Name), where)
	return r.instant(ctx, query, arguments...)
}

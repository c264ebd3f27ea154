package derived

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/flashback-sync/flashback-sync/schema"
)

// DaysOf is a query of the UTC days of the rows of a table that meet a condition.
func DaysOf(t *schema.Table, prefix, condition string) string {
	return fmt.Sprintf("SELECT CAST(make_timestamp(epoch_us(%s)) AS DATE) AS day FROM %s%s WHERE %s",
		schema.Ident(t.Time), prefix, schema.Ident(t.Name), condition)
}

// ListDays lists the days of which something is erased, by these queries, for OtherDays.
func ListDays(ctx context.Context, tx *sql.Tx, queries []string) error {
	queries = append([]string{"SELECT NULL::DATE AS day WHERE false"}, queries...)
	_, err := tx.ExecContext(ctx, "CREATE TEMP TABLE erased_days AS "+strings.Join(queries, " UNION "))
	return err
}

// OtherDays are by derived table the condition that a row is of no listed day: it stays where
// the file is made anew. The listed days are computed again from what is left of them.
func OtherDays() map[string]string {
	where := map[string]string{}
	for _, t := range schema.Tables() {
		if t.Derived != "" {
			where[t.Name] = schema.Ident(t.Time) + " NOT IN (SELECT day FROM temp.erased_days)"
		}
	}
	return where
}

package lake

import (
	"fmt"
	"time"

	"github.com/flashback-sync/flashback-sync/schema"
)

// partition is one file of one table.
type partition struct {
	table *schema.Table
	start time.Time // UTC
}

func (p partition) end() time.Time {
	if p.table.Partition == schema.ByMonth {
		return p.start.AddDate(0, 1, 0)
	}
	return p.start.AddDate(0, 0, 1)
}

// path is the file's path below lake/. It is made of the table's name and a date only, never
// of anything the source sent.
func (p partition) path() string {
	key, layout := keyOf(p.table)
	return fmt.Sprintf("%s/%s=%s/%s.parquet", p.table.Name, key, p.start.Format(layout), p.table.Name)
}

// keyOf is the key and the date layout of a table's folder names.
func keyOf(table *schema.Table) (key, layout string) {
	if table.Partition == schema.ByMonth {
		return "month", "2006-01"
	}
	return "date", "2006-01-02"
}

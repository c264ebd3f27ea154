package load

import (
	"errors"

	"github.com/flashback-sync/flashback-sync/load/duckdb"
	"github.com/flashback-sync/flashback-sync/load/durable"
)

// opened are the files of state/ that are opened by their path. A link in the place of one
// would lead the lock or DuckDB to another file. Files that are renamed into place need no
// check: the rename replaces the link.
var opened = []string{"lock", "warehouse.duckdb", "warehouse.duckdb.wal", "warehouse.duckdb.wal.checkpoint", "warehouse.duckdb.wal.recovery"}

// checkLinks refuses links and anything else that is not a plain file or folder. data_dir
// itself may be a link: that is the operator's choice.
func checkLinks(dir string) error {
	err := errors.Join(durable.CheckFolders(dir, "state/tmp"), durable.CheckFolders(dir, "lake"))
	for _, name := range opened {
		if err == nil {
			_, err = durable.Place(dir, "state/"+name)
		}
	}
	return duckdb.Wrap("open data_dir", err)
}

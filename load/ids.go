package load

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/cespare/xxhash/v2"
	"github.com/duckdb/duckdb-go/v2"

	"github.com/flashback-sync/flashback-sync/internal/hashset"
	"github.com/flashback-sync/flashback-sync/schema"
)

// ids keep the hashes of the ids of every table whose rows can move, outside the
// warehouse: so Settle finds out that no id of a run stood there before without
// reading them all. They are derived from the warehouse: what goes wrong with them is
// no failure, and leaves a table without them until it is settled the long way.
//
// A set holds at least what the table holds. It may hold more: ids of transactions
// that failed, and of rows that were removed.
type ids struct {
	folder *os.Root // nil if there is none
	sets   map[string]*hashset.Set
}

// openIDs opens the sets of a sealed warehouse. Without a seal there are none.
func openIDs(warehouse string, s *seal) ids {
	opened := ids{sets: map[string]*hashset.Set{}}
	path := filepath.Join(filepath.Dir(warehouse), "ids")
	if err := os.Mkdir(path, 0o750); err != nil && !errors.Is(err, fs.ErrExist) {
		return opened
	}
	var err error
	if opened.folder, err = os.OpenRoot(path); err != nil {
		return ids{}
	}
	for table, mark := range s.marks() {
		if set, err := hashset.Open(opened.folder, mark); err == nil {
			opened.sets[table] = set
		}
	}
	return opened
}

func (s *seal) marks() map[string]hashset.Mark {
	if s == nil {
		return nil
	}
	return s.IDs
}

// begin begins the set of a table that holds nothing.
func (i ids) begin(table string) {
	i.drop(table)
	if i.folder != nil {
		i.sets[table] = hashset.New(i.folder)
	}
}

// drop gives a set up.
func (i ids) drop(table string) {
	if set := i.sets[table]; set != nil {
		_ = set.Close()
		delete(i.sets, table)
	}
}

func (i ids) add(table string, hashes []uint64) {
	if set := i.sets[table]; set != nil && set.Add(hashes...) != nil {
		i.drop(table)
	}
}

// news reports whether all that was added to a table's set is new to it; known is
// false if that cannot be told.
func (i ids) news(table string) (news, known bool) {
	set := i.sets[table]
	if set == nil {
		return false, false
	}
	repeated, err := set.Settle()
	if err != nil {
		i.drop(table)
		return false, false
	}
	return !repeated, true
}

// marks are of the sets that are settled.
func (i ids) marks() map[string]hashset.Mark {
	marks := map[string]hashset.Mark{}
	for table, set := range i.sets {
		if mark, err := set.Mark(); err == nil {
			marks[table] = mark
		}
	}
	return marks
}

// sweep removes files that no set uses.
func (i ids) sweep() {
	if i.folder == nil {
		return
	}
	var used []hashset.Mark
	for _, mark := range i.marks() {
		used = append(used, mark)
	}
	_ = hashset.Sweep(i.folder, used...)
}

func (i ids) close() {
	for table := range i.sets {
		i.drop(table)
	}
	if i.folder != nil {
		_ = i.folder.Close()
	}
}

// hashesOf are the hashes of the ids of those rows of a batch that are not left out.
func hashesOf(column arrow.Array, left map[int64]bool) ([]uint64, error) {
	text, ok := column.(*array.String)
	if !ok {
		return nil, fmt.Errorf("ids of the type %s", column.DataType())
	}
	hashes := make([]uint64, 0, text.Len()-len(left))
	for n := range text.Len() {
		if !left[int64(n)] {
			hashes = append(hashes, xxhash.Sum64String(text.Value(n)))
		}
	}
	return hashes, nil
}

// idsAtOnce is how many ids are read at once: the driver holds a whole answer in memory.
const idsAtOnce = 100_000

// learn makes the set of a table anew from all its ids.
func (w *Warehouse) learn(ctx context.Context, table *schema.Table) error {
	if w.ids.folder == nil {
		return nil
	}
	w.ids.begin(table.Name)
	name, id := schema.Ident(table.Name), schema.Ident(table.Key[0])
	var last sql.NullInt64
	if err := w.conn.QueryRowContext(ctx, "SELECT max(rowid) FROM "+name).Scan(&last); err != nil {
		return storage("read warehouse", err)
	}
	for from := int64(0); last.Valid && from <= last.Int64; from += idsAtOnce {
		err := withArrow(w.conn, func(a *duckdb.Arrow) error {
			read, err := a.QueryContext(ctx, fmt.Sprintf("SELECT %s FROM %s WHERE rowid >= %d AND rowid < %d", id, name, from, from+idsAtOnce))
			if err != nil {
				return err
			}
			defer read.Release()
			for read.Next() {
				hashes, err := hashesOf(read.RecordBatch().Column(0), nil)
				if err != nil {
					return err
				}
				w.ids.add(table.Name, hashes)
			}
			return read.Err()
		})
		if err != nil {
			w.ids.drop(table.Name)
			return storage("read warehouse", err)
		}
	}
	w.ids.news(table.Name) // takes them in
	return nil
}

// noteInserted adds the hashes of the ids of the rows of a batch that were not held,
// whether the transaction will be committed or not.
func (w *Warehouse) noteInserted(ctx context.Context, s statements, i incoming, held int64) error {
	if w.ids.sets[s.Name] == nil {
		return nil
	}
	left := map[int64]bool{}
	if held > 0 {
		rows, err := i.tx.QueryContext(ctx, "SELECT DISTINCT nth FROM temp.held")
		if err != nil {
			return err
		}
		defer func() { _ = rows.Close() }()
		for rows.Next() {
			var n int64
			if err := rows.Scan(&n); err != nil {
				return err
			}
			left[n] = true
		}
		if err := rows.Err(); err != nil {
			return err
		}
	}
	hashes, err := hashesOf(i.record.Column(i.record.Schema().FieldIndices(s.Key[0])[0]), left)
	if err != nil {
		return err
	}
	w.ids.add(s.Name, hashes)
	return nil
}

package lake

import (
	"sort"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// cutter cuts rows that come in order of time into the files of neighbouring
// partitions. At most one file is open.
type cutter struct {
	*publication
	group []partition
	next  int // partition of the group whose turn has not come
	open  *writer
}

func (c *cutter) cut(rows arrow.RecordBatch) error {
	times := rows.Column(rows.Schema().FieldIndices(c.group[0].table.Time)[0]).(*array.Timestamp)
	for from := 0; from < times.Len(); {
		if at := timeAt(times, from); c.open == nil || !at.Before(c.open.partition.end()) {
			if err := c.turn(at); err != nil {
				return err
			}
		}
		end := c.open.partition.end()
		to := from + sort.Search(times.Len()-from, func(i int) bool { return !timeAt(times, from+i).Before(end) })
		part := rows.NewSlice(int64(from), int64(to))
		err := c.open.write(part)
		part.Release()
		if err != nil {
			return err
		}
		from = to
	}
	return nil
}

// turn finishes the open file, removes the files of partitions that have no rows
// any more, and opens the file of the partition that holds the time; none if the
// time is the end of the group.
func (c *cutter) turn(at time.Time) error {
	if c.open != nil {
		w := c.open
		c.open = nil
		file, err := w.commit()
		if err != nil {
			return err
		}
		c.done(w.partition, file)
	}
	for ; c.next < len(c.group); c.next++ {
		p := c.group[c.next]
		if at.Before(p.end()) {
			w, err := c.create(p)
			c.open = w
			c.next++
			return err
		}
		if err := c.drop(p); err != nil {
			return err
		}
	}
	return nil
}

// abort removes what was being written.
func (c *cutter) abort() {
	if c.open != nil {
		_ = c.open.abort()
	}
}

package audit

import (
	"encoding/binary"
	"fmt"
	"hash/maphash"
	"iter"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// sum is a fingerprint of rows in any order. Rows that are there twice count twice.
type sum struct {
	rows    int64
	ids     uint64 // of the column id, where there is one
	content uint64 // of all columns
}

// seed is of this process: fingerprints are compared, never stored.
var seed = maphash.MakeSeed()

// add fingerprints batches. A column that they lack counts as NULL.
func add(batches iter.Seq2[arrow.RecordBatch, error], columns []string) (sum, error) {
	var total sum
	for batch, err := range batches {
		if err != nil {
			return total, err
		}
		n := int(batch.NumRows())
		total.rows += int64(n)
		rows := make([]uint64, n)
		for _, name := range columns {
			at := batch.Schema().FieldIndices(name)
			if len(at) == 0 {
				mix(rows, func(int) uint64 { return null })
				continue
			}
			value, err := hasher(batch.Column(at[0]))
			if err != nil {
				return total, fmt.Errorf("column %s: %w", name, err)
			}
			mix(rows, value)
			if name == "id" {
				for i := range n {
					total.ids += value(i)
				}
			}
		}
		for _, row := range rows {
			total.content += row ^ row>>31
		}
	}
	return total, nil
}

const null = 0x9e3779b97f4a7c15

// mix adds a column to the fingerprint of each row; the order of columns counts.
func mix(rows []uint64, value func(int) uint64) {
	for i := range rows {
		rows[i] = (rows[i]<<7 | rows[i]>>57) * 0xff51afd7ed558ccd
		rows[i] ^= value(i)
	}
}

// hasher fingerprints the values of a column.
func hasher(column arrow.Array) (func(int) uint64, error) {
	var number func(int) int64
	switch column := column.(type) {
	case *array.String:
		return notNull(column, func(i int) uint64 { return maphash.String(seed, column.Value(i)) }), nil
	case *array.LargeString:
		return notNull(column, func(i int) uint64 { return maphash.String(seed, column.Value(i)) }), nil
	case *array.Timestamp:
		number = func(i int) int64 { return int64(column.Value(i)) }
	case *array.Date32:
		number = func(i int) int64 { return int64(column.Value(i)) }
	case *array.Int64:
		number = column.Value
	case *array.Int32:
		number = func(i int) int64 { return int64(column.Value(i)) }
	case *array.Boolean:
		number = func(i int) int64 {
			if column.Value(i) {
				return 1
			}
			return 0
		}
	default:
		return nil, fmt.Errorf("type %s cannot be compared", column.DataType())
	}
	return notNull(column, func(i int) uint64 {
		var encoded [8]byte
		binary.LittleEndian.PutUint64(encoded[:], uint64(number(i)))
		return maphash.Bytes(seed, encoded[:])
	}), nil
}

func notNull(column arrow.Array, value func(int) uint64) func(int) uint64 {
	return func(i int) uint64 {
		if column.IsNull(i) {
			return null
		}
		return value(i)
	}
}

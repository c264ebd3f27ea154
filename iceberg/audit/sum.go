package audit

import (
	"hash/maphash"
	"iter"

	"github.com/apache/arrow-go/v18/arrow"
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
			value := hasher(batch.Column(at[0]))
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
func hasher(column arrow.Array) func(int) uint64 {
	return func(i int) uint64 {
		if column.IsNull(i) {
			return null
		}
		return maphash.String(seed, column.ValueStr(i))
	}
}

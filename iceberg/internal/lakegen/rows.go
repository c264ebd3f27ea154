package lakegen

import (
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/flashback-sync/flashback-sync/iceberg/lake"
)

// generator makes the rows of one file.
type generator struct {
	table      *lake.Table
	start, end time.Time
	rows       int
	seed       uint64
}

func (g *generator) schema() *arrow.Schema {
	var fields []arrow.Field
	for _, c := range g.table.Columns {
		fields = append(fields, arrow.Field{Name: c.Name, Type: arrowType(c.Type), Nullable: true})
	}
	return arrow.NewSchema(fields, nil)
}

// batch makes some rows of the file. Each row follows from its number alone.
func (g *generator) batch(schema *arrow.Schema, first, after int) arrow.RecordBatch {
	builder := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer builder.Release()
	random := rand.New(rand.NewPCG(g.seed, uint64(first))) //nolint:gosec // repeatable
	for row := first; row < after; row++ {
		at := g.start.Add(time.Duration(float64(g.end.Sub(g.start)) * float64(row) / float64(g.rows)))
		for i, c := range g.table.Columns {
			g.value(builder.Field(i), c, at, row, random)
		}
	}
	return builder.NewRecordBatch()
}

func (g *generator) value(to array.Builder, c lake.Column, at time.Time, row int, random *rand.Rand) {
	switch to := to.(type) {
	case *array.TimestampBuilder:
		to.Append(arrow.Timestamp(at.UnixMicro()))
	case *array.Date32Builder:
		to.Append(arrow.Date32(at.Unix() / 86400))
	case *array.Int64Builder:
		to.Append(random.Int64N(1000))
	case *array.BooleanBuilder:
		to.Append(random.IntN(2) == 0)
	case *array.StringBuilder:
		switch {
		case c.Name == "id":
			to.Append(strconv.FormatUint(g.seed, 36) + "-" + strconv.FormatInt(at.UnixMicro(), 36) + "-" + strconv.Itoa(row))
		case c.Privacy == "content" && c.Name != "extra":
			to.Append("The request was about topic " + strconv.Itoa(random.IntN(1_000_000)) + " and mentioned person-" + strconv.Itoa(random.IntN(5000)) + ".")
		case random.IntN(10) == 0 || c.Name == "extra":
			to.AppendNull()
		default:
			to.Append(c.Name + "-" + strconv.Itoa(random.IntN(200)))
		}
	}
}

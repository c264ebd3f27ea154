package transform

import (
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// appendTo appends the value of a slot to the builder of its column. text is the slot's.
func (s *slot) appendTo(builder array.Builder, text []byte) {
	if !s.set {
		builder.AppendNull()
		return
	}
	switch b := builder.(type) {
	case *array.StringBuilder:
		b.BinaryBuilder.Append(text)
	case *array.TimestampBuilder:
		b.Append(arrow.Timestamp(s.number))
	case *array.Int64Builder:
		b.Append(s.number)
	case *array.Float64Builder:
		b.Append(math.Float64frombits(uint64(s.number)))
	case *array.BooleanBuilder:
		b.Append(s.number != 0)
	}
}

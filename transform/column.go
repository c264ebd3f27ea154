package transform

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/flashback-sync/flashback-sync/schema"
)

// column gathers the values of one column in the layout that Arrow gives them.
// Arrow's own builders look after their room several times for every value; here
// all columns grow together, and only text must look after its bytes.
type column struct {
	kind   schema.Type
	memory memory.Allocator

	// The buffers of the array to be, and views of all their room.
	valid, starts, values *memory.Buffer // starts: of text only
	bits                  []byte         // of valid: one for each row that is not NULL
	ends                  []int32        // of starts, without the first: where each row's text ends
	numbers               []int64        // of values: of doubles their bits
	truths                []byte         // of values: one bit for each row that is true
	text                  []byte         // of values

	used   int // bytes of text
	nulls  int
	likely int // bytes of text that the batch before took
}

const (
	// fewRows is the room of the first batch, and fewBytes that of its texts.
	fewRows  = 64
	fewBytes = 1 << 10
)

// roomy is room enough for a batch that is much like the one before, so that it is
// neither copied while it grows nor twice as large as it need be.
func roomy(likely int) int { return likely + likely/8 }

// grow makes room for so many rows.
func (c *column) grow(rows int) {
	first := c.valid == nil
	if first {
		c.valid, c.values = memory.NewResizableBuffer(c.memory), memory.NewResizableBuffer(c.memory)
	}
	c.bits = bitmap(c.valid, rows)
	switch {
	case c.isText():
		if first {
			c.starts = memory.NewResizableBuffer(c.memory)
			c.text = enlarge(c.values, max(roomy(c.likely), fewBytes))
		}
		starts := arrow.Int32Traits.CastFromBytes(enlarge(c.starts, 4*(rows+1)))
		starts[0], c.ends = 0, starts[1:]
	case c.kind == schema.Boolean:
		c.truths = bitmap(c.values, rows)
	default:
		c.numbers = arrow.Int64Traits.CastFromBytes(enlarge(c.values, 8*rows))
	}
}

// enlarge gives a buffer room for so many bytes, and returns all its room.
func enlarge(buffer *memory.Buffer, size int) []byte {
	buffer.Reserve(size)
	return buffer.Buf()
}

// bitmap gives a buffer room for so many bits. New ones are zero.
func bitmap(buffer *memory.Buffer, size int) []byte {
	had := buffer.Cap()
	bits := enlarge(buffer, (size+7)/8)
	clear(bits[had:])
	return bits
}

func (c *column) isText() bool { return c.kind == schema.Text || c.kind == schema.JSON }

// put writes the value of a row that there is room for: NULL unless it is set.
func (c *column) put(row int, set bool, number int64, text []byte) {
	if set {
		c.bits[row/8] |= 1 << (row % 8)
	} else {
		c.nulls++
	}
	switch c.kind {
	case schema.Text, schema.JSON:
		if len(text) > len(c.text)-c.used {
			c.text = enlarge(c.values, max(2*len(c.text), c.used+len(text)))
		}
		c.used += copy(c.text[c.used:], text)
		c.ends[row] = int32(c.used)
	case schema.Boolean:
		c.truths[row/8] |= byte(number) << (row % 8)
	default:
		c.numbers[row] = number
	}
}

// build hands over the rows as an array, which the caller releases, and empties
// the column.
func (c *column) build(rows int) arrow.Array {
	c.valid.ResizeNoShrink((rows + 7) / 8)
	buffers := []*memory.Buffer{c.valid, c.values}
	switch {
	case c.isText():
		c.starts.ResizeNoShrink(4 * (rows + 1))
		c.values.ResizeNoShrink(c.used)
		buffers = []*memory.Buffer{c.valid, c.starts, c.values}
	case c.kind == schema.Boolean:
		c.values.ResizeNoShrink((rows + 7) / 8)
	default:
		c.values.ResizeNoShrink(8 * rows)
	}
	data := array.NewData(c.kind.Arrow(), rows, buffers, nil, c.nulls, 0)
	defer data.Release()
	c.likely = c.used
	c.release()
	return array.MakeFromData(data)
}

// release gives the memory back.
func (c *column) release() {
	for _, buffer := range []*memory.Buffer{c.valid, c.starts, c.values} {
		if buffer != nil {
			buffer.Release()
		}
	}
	*c = column{kind: c.kind, memory: c.memory, likely: c.likely}
}

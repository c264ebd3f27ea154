package transform

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/flashback-sync/flashback-sync/checkpoints/instant"
	"github.com/flashback-sync/flashback-sync/schema"
)

// slot is one column's value of the record being decoded, until the whole record is
// known to be good. It has no pointers: there is one slot for every field of every
// record, and the garbage collector need not scan them.
type slot struct {
	seen     bool  // the record has the field
	set      bool  // it has a value; the zero slot is NULL
	written  bool  // its text is a part of the decoder's scratch space, not of the record
	from, to int32 // bounds of its text
	number   int64 // BigInt; Timestamp in microseconds; Boolean as 0 or 1; Double as its bits
}

// set reads a value, which begins at an offset of the record, into a column's slot.
func (d *decoder) set(column int, v jsontext.Value, at int) (err error) {
	s := &d.slots[column]
	s.seen = true
	kind := v.Kind()
	if kind == 'n' {
		return nil
	}
	s.set = true
	switch t := d.columns[column].Type; {
	case t == schema.JSON:
		s.from, s.to = int32(at), int32(at+len(v))
	case t == schema.Text && kind != '"':
		return fmt.Errorf("is %s, not a string", nameOf(kind))
	case t == schema.Text:
		return d.setText(s, v, at)
	case t == schema.Timestamp && kind != '"':
		return fmt.Errorf("is %s, not a timestamp", nameOf(kind))
	case t == schema.Timestamp:
		if err = d.setText(s, v, at); err == nil {
			s.number, err = timestamp(d.text(s))
		}
	case t == schema.BigInt:
		s.number, err = integer(v)
	case t == schema.Double:
		var f float64
		f, err = double(v)
		s.number = int64(math.Float64bits(f))
	case kind != 't' && kind != 'f':
		return fmt.Errorf("is %s, not true or false", nameOf(kind))
	case kind == 't':
		s.number = 1
	}
	return err
}

// setText keeps the text of a JSON string: a part of the record if nothing is
// escaped, otherwise a part of the scratch space.
func (d *decoder) setText(s *slot, v jsontext.Value, at int) (err error) {
	if bytes.IndexByte(v, '\\') < 0 {
		s.from, s.to = int32(at+1), int32(at+len(v)-1)
		return nil
	}
	start := len(d.scratch)
	d.scratch, err = jsontext.AppendUnquote(d.scratch, v)
	d.wrote(s, start)
	return err
}

// wrote makes the scratch space from start on the text of a slot.
func (d *decoder) wrote(s *slot, start int) {
	s.written, s.from, s.to = true, int32(start), int32(len(d.scratch))
}

// text is the text of a slot, up to the next record.
func (d *decoder) text(s *slot) []byte {
	if s.written {
		return d.scratch[s.from:s.to]
	}
	return d.record[s.from:s.to]
}

// The years that a partition's name and the manifest can express: an offset can move
// a timestamp out of them.
var (
	firstInstant = instant.Of(time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC))
	lastInstant  = instant.Of(time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)) - 1
)

// timestamp reads microseconds since 1970.
func timestamp(text []byte) (int64, error) {
	at, ok := instant.Parse(text)
	switch {
	case !ok:
		return 0, errors.New("is not a timestamp")
	case at < firstInstant || at > lastInstant:
		return 0, errors.New("is outside the years 1 to 9999")
	}
	return int64(at), nil
}

func nameOf(kind jsontext.Kind) string {
	switch kind {
	case 'n':
		return "null"
	case '"':
		return "a string"
	case '0':
		return "a number"
	case '{':
		return "an object"
	case '[':
		return "an array"
	case 't', 'f':
		return "a boolean"
	}
	return "something else"
}

func double(value jsontext.Value) (float64, error) {
	if value.Kind() != '0' {
		return 0, fmt.Errorf("is %s, not a number", nameOf(value.Kind()))
	}
	f, err := strconv.ParseFloat(string(value), 64)
	if err != nil || math.IsInf(f, 0) {
		return 0, errors.New("is beyond the range of a double")
	}
	return f, nil
}

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

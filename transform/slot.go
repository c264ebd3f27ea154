package transform

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/flashback-sync/flashback-sync/internal/instant"
	"github.com/flashback-sync/flashback-sync/schema"
)

// slot holds one column's value of the record being decoded, until the whole
// record is known to be good.
type slot struct {
	seen   bool   // the record has the field
	set    bool   // it has a value; the zero slot is NULL
	text   []byte // points into the record or into the decoder's scratch space
	number int64  // BigInt; Timestamp in microseconds; Boolean as 0 or 1
	double float64
}

// decode reads a JSON value into the slot. scratch is where unescaped text goes;
// the grown scratch is returned.
func (s *slot) decode(t schema.Type, value jsontext.Value, plain bool, scratch []byte) ([]byte, error) {
	kind := value.Kind()
	if kind == 'n' {
		return scratch, nil
	}
	s.set = true
	var err error
	switch t {
	case schema.Text:
		if kind != '"' {
			return scratch, fmt.Errorf("is %s, not a string", nameOf(kind))
		}
		s.text, scratch, err = unquote(value, plain, scratch)
	case schema.Timestamp:
		if kind != '"' {
			return scratch, fmt.Errorf("is %s, not a timestamp", nameOf(kind))
		}
		if s.text, scratch, err = unquote(value, plain, scratch); err == nil {
			s.number, err = timestamp(s.text)
		}
	case schema.BigInt:
		s.number, err = integer(value)
	case schema.Double:
		s.double, err = double(value)
	case schema.Boolean:
		if kind != 't' && kind != 'f' {
			return scratch, fmt.Errorf("is %s, not true or false", nameOf(kind))
		}
		s.number = 0
		if kind == 't' {
			s.number = 1
		}
	case schema.JSON:
		s.text = value
	}
	return scratch, err
}

// The years that a partition's name and the manifest can hold: an offset can move
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

// unquote returns the text of a JSON string: a part of it if nothing is escaped,
// otherwise a part of scratch.
func unquote(value jsontext.Value, plain bool, scratch []byte) (text, grown []byte, err error) {
	if plain {
		return value[1 : len(value)-1], scratch, nil
	}
	start := len(scratch)
	scratch, err = jsontext.AppendUnquote(scratch, value)
	return scratch[start:len(scratch):len(scratch)], scratch, err
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

package transform

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

var (
	errFraction = errors.New("is not a whole number")
	errRange    = errors.New("is beyond the range of a 64-bit integer")
)

// integer reads a JSON number that must be an integer, in whatever notation.
func integer(value jsontext.Value) (int64, error) {
	if value.Kind() != '0' {
		return 0, fmt.Errorf("is %s, not an integer", nameOf(value.Kind()))
	}
	if n, err := strconv.ParseInt(string(value), 10, 64); err == nil {
		return n, nil
	}
	return exact(value)
}

// exact reads notations such as 12.0 and 1.2e1 digit by digit. It never builds a
// number larger than 64 bits, however large the exponent.
func exact(value []byte) (int64, error) {
	mantissa, exponent, _ := bytes.Cut(bytes.ToLower(value), []byte("e"))
	sign, mantissa := splitSign(mantissa)
	whole, fraction, _ := bytes.Cut(mantissa, []byte("."))
	digits := bytes.TrimLeft(append(bytes.Clone(whole), fraction...), "0")
	significant := bytes.TrimRight(digits, "0")
	if len(significant) == 0 {
		return 0, nil
	}
	// Further than all of its digits, the point is beyond 64 bits either way.
	furthest := len(value) + 20
	shift, err := strconv.Atoi("0" + string(bytes.TrimLeft(exponent, "+-")))
	if err != nil || shift > furthest {
		shift = furthest
	}
	if bytes.HasPrefix(exponent, []byte("-")) {
		shift = -shift
	}
	zeros := shift - len(fraction) + len(digits) - len(significant)
	switch {
	case zeros < 0:
		return 0, errFraction
	case len(significant)+zeros > 19:
		return 0, errRange
	}
	n, err := strconv.ParseInt(sign+string(significant)+string(bytes.Repeat([]byte("0"), zeros)), 10, 64)
	if err != nil {
		return 0, errRange
	}
	return n, nil
}

func splitSign(number []byte) (sign string, rest []byte) {
	if rest, negative := bytes.CutPrefix(number, []byte("-")); negative {
		return "-", rest
	}
	return "", number
}

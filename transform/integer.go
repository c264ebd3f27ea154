package transform

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

var (
	errFraction = errors.New("is not a whole number")
	errRange    = errors.New("is beyond the range of a 64-bit integer")
	errLength   = errors.New("has too many digits for a 64-bit integer")
)

// integer reads a JSON number that must be an integer, in whatever notation: 12.0 and
// 1.2e1 are exactly 12. What math/big is given has few digits and a small exponent, so that
// no number takes long.
func integer(value jsontext.Value) (int64, error) {
	if value.Kind() != '0' {
		return 0, fmt.Errorf("is %s, not an integer", nameOf(value.Kind()))
	}
	number := string(value)
	if n, err := strconv.ParseInt(number, 10, 64); err == nil {
		return n, nil
	}
	about, _ := strconv.ParseFloat(number, 64) // infinite if it is too large
	mantissa, _, _ := strings.Cut(strings.ToLower(number), "e")
	switch {
	case math.Abs(about) > math.MaxInt64:
		return 0, errRange
	case !strings.ContainsAny(mantissa, "123456789"):
		return 0, nil
	case len(number) > 100:
		return 0, errLength
	case math.Abs(about) < 1:
		return 0, errFraction
	}
	exact, _ := new(big.Rat).SetString(number)
	switch {
	case !exact.IsInt():
		return 0, errFraction
	case !exact.Num().IsInt64():
		return 0, errRange
	}
	return exact.Num().Int64(), nil
}

package transform

import (
	"errors"
	"math"
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

var (
	jsonNumber = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$`)
	isZero     = regexp.MustCompile(`^-?[0.]*([eE].*)?$`)
)

func TestIntegersOfMillionsOfDigitsAreRejectedAtOnce(t *testing.T) {
	zeros := strings.Repeat("0", 2_000_000)
	for number, want := range map[string]error{
		"1" + zeros:               errRange,
		"1" + zeros + "e-2000000": errLength,
		"0." + zeros + "1":        errLength,
		"1." + zeros + "1":        errLength,
		"1e-2000000":              errFraction,
		"1e2000000":               errRange,
		"0." + zeros + "e2000000": nil,
	} {
		if n, err := integer([]byte(number)); !errors.Is(err, want) || n != 0 {
			t.Errorf("%.10s…: %d, %v, want %v", number, n, err, want)
		}
	}
}

// FuzzInteger compares with math/big, whose exponents have limits: those beyond are
// compared with what they must be.
func FuzzInteger(f *testing.F) {
	for _, seed := range []string{
		"0", "-0", "12.0", "1.2e1", "9223372036854775807", "-9223372036854775808", "9223372036854775808", "1e400", "0e999999999",
		"92233720368547758070e-1", "0.00000000000000000000012e23", "1e99999999999999999999", "-1.5E+0", "100000e-5",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, number string) {
		if len(number) > 100 || !jsonNumber.MatchString(number) {
			return
		}
		got, err := integer([]byte(number))
		_, exponent, _ := strings.Cut(strings.ToLower(number), "e")
		shift, tooLong := strconv.Atoi("0" + strings.TrimLeft(exponent, "+-"))
		switch {
		case isZero.MatchString(number):
			if got != 0 || err != nil {
				t.Fatalf("%s: %d, %v", number, got, err)
			}
		case tooLong != nil || shift > 2000:
			if want := map[bool]error{false: errRange, true: errFraction}[strings.HasPrefix(exponent, "-")]; !errors.Is(err, want) {
				t.Fatalf("%s: %d, %v, want %v", number, got, err, want)
			}
		default:
			exactly, ok := new(big.Rat).SetString(number)
			if !ok {
				t.Fatalf("math/big does not read %s", number)
			}
			want := error(nil)
			if exactly.IsInt() && !exactly.Num().IsInt64() || !exactly.IsInt() && errors.Is(err, errRange) && math.Abs(approximately(exactly)) >= math.MaxInt64 {
				want = errRange
			} else if !exactly.IsInt() {
				want = errFraction
			}
			if !errors.Is(err, want) || (err == nil && got != exactly.Num().Int64()) {
				t.Fatalf("%s: %d, %v, want %v, %v", number, got, err, exactly, want)
			}
		}
	})
}

func approximately(number *big.Rat) float64 {
	f, _ := number.Float64()
	return f
}

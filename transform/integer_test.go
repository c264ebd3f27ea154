package transform

import (
	"errors"
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

// An exponent that undoes a million zeros, and one that does not quite.
func TestExponentsAsLongAsTheNumber(t *testing.T) {
	zeros := strings.Repeat("0", 2_000_000)
	for number, want := range map[string]error{
		"1" + zeros + "e-2000000":         nil,
		"0." + zeros + "1e2000001":        nil,
		"1" + zeros + "e-2000001":         errFraction,
		"1" + zeros + "e-1048576":         errRange,
		"1" + zeros[:1<<20] + "e-2000000": errFraction,
	} {
		if n, err := integer([]byte(number)); !errors.Is(err, want) || (err == nil && n != 1) {
			t.Errorf("%.10s…%s: %d, %v, want %v", number, number[len(number)-10:], n, err, want)
		}
	}
}

// FuzzInteger holds every number against math/big, exponents as far as that can
// reach them, and those beyond against what they must be.
func FuzzInteger(f *testing.F) {
	for _, seed := range []string{
		"0", "-0", "12.0", "1.2e1", "9223372036854775807", "-9223372036854775808", "9223372036854775808", "1e400", "0e999999999",
		"92233720368547758070e-1", "0.00000000000000000000012e23", "1e99999999999999999999", "-1.5E+0", "100000e-5",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, number string) {
		if len(number) > 500 || !jsonNumber.MatchString(number) {
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
			if !exactly.IsInt() {
				want = errFraction
			} else if !exactly.Num().IsInt64() {
				want = errRange
			}
			if !errors.Is(err, want) || (err == nil && got != exactly.Num().Int64()) {
				t.Fatalf("%s: %d, %v, want %v, %v", number, got, err, exactly, want)
			}
		}
	})
}

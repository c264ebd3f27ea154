package datafiles

import (
	"strings"
	"testing"
)

func TestBoundsOfTexts(t *testing.T) {
	for _, c := range []struct{ low, high, wantLow, wantHigh string }{
		{"short", "short", "short", "short"},
		{strings.Repeat("a", 20), strings.Repeat("b", 20), strings.Repeat("a", 16), strings.Repeat("b", 15) + "c"},
		{"", strings.Repeat("é", 17), "", strings.Repeat("é", 15) + "ê"},
		{"a", strings.Repeat("z", 15) + "\U0010ffff!", "a", strings.Repeat("z", 14) + "{"},
		{"a", strings.Repeat("\U0010ffff", 17), "a", ""}, // no text is above
	} {
		s := statistics{lower: map[int][]byte{1: []byte(c.low)}, upper: map[int][]byte{1: []byte(c.high)}}
		s.shorten(1)
		if got := string(s.lower[1]); got != c.wantLow {
			t.Errorf("lower bound of %q is %q", c.low, got)
		}
		if got := string(s.upper[1]); got != c.wantHigh {
			t.Errorf("upper bound of %q is %q, want %q", c.high, got, c.wantHigh)
		}
	}
}

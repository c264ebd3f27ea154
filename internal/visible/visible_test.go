package visible_test

import (
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/flashback-sync/flashback-sync/internal/visible"
)

func TestWhatDoesNotPrintIsSpelledOut(t *testing.T) {
	for in, want := range map[string]string{
		"":                      "",
		"no secrets – ünïcode":  "no secrets – ünïcode",
		"a\x00b\n\tc":           `a\x00b\n\tc`,
		"\u202eevil\u200f":      `\u202eevil\u200f`,
		"half \xff\xfe":         `half \xff\xfe`,
		"zero\u200bwidth\u00a0": `zero\u200bwidth\u00a0`,
	} {
		if got := visible.Text(in); got != want {
			t.Errorf("Text(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestFilterSetsAreTakenApart(t *testing.T) {
	for in, want := range map[string][]visible.Term{
		"{}":                        nil,
		"no JSON":                   {{Values: []string{"no JSON"}}},
		"[1]":                       {{Values: []string{"[1]"}}},
		`{"rule_id":"r","b":[1,2]}`: {{Key: "b", Values: []string{"1", "2"}}, {Key: "rule id", Values: []string{"r"}}},
	} {
		if diff := cmp.Diff(want, visible.Terms(in)); diff != "" {
			t.Errorf("Terms(%s): %s", in, diff)
		}
	}
}

func FuzzText(f *testing.F) {
	f.Add("\u202e\x00\xff")
	f.Fuzz(func(t *testing.T, s string) {
		shown := visible.Text(s)
		if !utf8.ValidString(shown) {
			t.Fatalf("%q is not valid", shown)
		}
		for _, char := range shown {
			if !unicode.IsPrint(char) {
				t.Fatalf("%q has %U", shown, char)
			}
		}
	})
}

func TestLinesAndTabsMayStay(t *testing.T) {
	const hostile = "a\tb\r\nc\x1b[2J\u009b\u200fd\re\x7f\xff"
	if got, want := visible.Lines(hostile), "a\\tb\\r\nc\\x1b[2J\\u009b\\u200fd\\re\\x7f\\xff"; got != want {
		t.Errorf("Lines: %q, want %q", got, want)
	}
	if got, want := visible.Controls(hostile), "a\tb\r\nc\\x1b[2J\\u009b\u200fd\\re\\x7f\\xff"; got != want {
		t.Errorf("Controls: %q, want %q", got, want)
	}
}

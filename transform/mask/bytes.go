package mask

import (
	"bytes"
	"unicode/utf8"
)

// The classes of a byte, as bits.
const (
	triggers   = 1 << iota
	alphabetic // ASCII letters
	numeric    // ASCII digits
	base64URL  // letters, digits, - and _
	dotted     // these and the full stop
	credential // what a token behind Bearer consists of
	localPart  // what may be in front of an @, beside letters that are not ASCII
)

var classes = func() (table [256]uint16) {
	add := func(set string, class uint16) {
		for _, c := range []byte(set) {
			table[c] |= class
		}
	}
	const lower, upper, figures = "abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789"
	add(figures+"@%:=-_AJBb", triggers)
	add(lower+upper, alphabetic)
	add(figures, numeric)
	add(lower+upper+figures+"-_", base64URL)
	add(lower+upper+figures+"-_.", dotted)
	add(lower+upper+figures+"-_.~+/=", credential)
	add(lower+upper+figures+".-_+%'", localPart)
	return table
}()

func is(c byte, class uint16) bool { return classes[c]&class != 0 }

const word = alphabetic | numeric

// run returns the end of the bytes of the class that begin at i.
func run(text []byte, i int, class uint16) int {
	for i < len(text) && is(text[i], class) {
		i++
	}
	return i
}

// boundary reports whether a word can begin at i: before it is no letter or digit, except
// for that of an escaped line break (\n), which is common in logged text.
func boundary(text []byte, i int) bool {
	if i == 0 || !is(text[i-1], word) {
		return true
	}
	return i > 1 && text[i-2] == '\\' && (text[i-1] == 'n' || text[i-1] == 'r' || text[i-1] == 't')
}

// ends reports whether a word can end before i.
func ends(text []byte, i int) bool {
	return i >= len(text) || !is(text[i], word) && text[i] != '_'
}

// follows reports whether a byte of the class is at i.
func follows(text []byte, i int, class uint16) bool { return i < len(text) && is(text[i], class) }

// precedes reports whether a byte of the class is right before i.
func precedes(text []byte, i int, class uint16) bool { return i > 0 && is(text[i-1], class) }

// space returns the length of the space at i: an ordinary, non-breaking or narrow one.
func space(text []byte, i int) int { return oneOf(text, i, " ", "\u00a0", "\u202f") }

// dash returns the length of the hyphen or short dash at i.
func dash(text []byte, i int) int { return oneOf(text, i, "-", "\u2010", "\u2011", "\u2013") }

func oneOf(text []byte, i int, choices ...string) int {
	if i >= len(text) {
		return 0
	}
	for _, choice := range choices {
		if text[i] == choice[0] && (text[i] < utf8.RuneSelf || bytes.HasPrefix(text[i:], []byte(choice))) {
			return len(choice)
		}
	}
	return 0
}

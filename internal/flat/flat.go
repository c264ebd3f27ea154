// Package flat reads JSON objects of the shape that nearly every record of the
// API has: no value is an object or an array, and nothing stands between the
// tokens. It takes such an object apart at several times the speed of a reader of
// all of JSON.
//
// It refuses nothing: what it cannot read may well be JSON, and is to be read by
// jsontext, which judges it. What it reads, jsontext reads too and in the same
// way, but that UTF-8 within strings is not looked at; see ASCII.
package flat

import (
	"encoding/binary"
	"encoding/json"
	"math/bits"
	"strconv"
	"unicode/utf16"
)

// Scanner reads one object field by field: while More, the name by Is or Name,
// then the value.
type Scanner struct {
	text []byte
	at   int    // of the next byte to be read
	more bool   // a field follows
	bits uint64 // of all bytes in strings so far
}

// Open begins to read the object that begins at text[at]. It reports false if
// none begins there, or none with fields.
func Open(text []byte, at int) (s Scanner, ok bool) {
	ok = at+1 < len(text) && text[at] == '{' && text[at+1] == '"'
	return Scanner{text: text, at: at + 1, more: ok}, ok
}

// More reports whether there is another field.
func (s *Scanner) More() bool { return s.more }

// Offset is where the next byte is to be read: after a name its value, after the
// last value what follows the object.
func (s *Scanner) Offset() int { return s.at }

// ASCII reports whether all strings read so far are plain ASCII. If they are not,
// whoever needs UTF-8 must check it.
func (s *Scanner) ASCII() bool { return s.bits&highs == 0 }

// Is reads the next name if it is this one, given with its quotes and the colon
// after it.
func (s *Scanner) Is(name string) bool {
	if end := s.at + len(name); len(name) > 0 && end <= len(s.text) && string(s.text[s.at:end]) == name {
		s.at = end
		return true
	}
	return false
}

// Name reads the next name, in quotes. It reports false for one with escapes.
func (s *Scanner) Name() (quoted []byte, ok bool) {
	start := s.at
	if start >= len(s.text) || s.text[start] != '"' {
		return nil, false
	}
	end, plain := s.past(start + 1)
	if !plain || end >= len(s.text) || s.text[end] != ':' {
		return nil, false
	}
	s.at = end + 1
	return s.text[start:end], true
}

// Value reads the next value as it is written. plain tells a string without
// escapes.
func (s *Scanner) Value() (value []byte, plain, ok bool) {
	start, end := s.at, 0
	if start >= len(s.text) {
		return nil, false, false
	}
	switch s.text[start] {
	case '"':
		end, plain = s.past(start + 1)
	case 'n':
		end = s.literal("null")
	case 't':
		end = s.literal("true")
	case 'f':
		end = s.literal("false")
	default:
		end = s.number()
	}
	if end == 0 || !s.Past(end) {
		return nil, false, false
	}
	return s.text[start:end], plain, true
}

// Past goes on behind a value that ends at text[end], such as one that was read by
// other means.
func (s *Scanner) Past(end int) (ok bool) {
	if end >= len(s.text) {
		return false
	}
	s.at, s.more = end+1, s.text[end] == ','
	return s.more || s.text[end] == '}'
}

func (s *Scanner) literal(word string) (end int) {
	if end = s.at + len(word); end > len(s.text) || string(s.text[s.at:end]) != word {
		return 0
	}
	return end
}

func (s *Scanner) number() (end int) {
	for end = s.at; end < len(s.text) && numeric[s.text[end]]; end++ {
	}
	if !json.Valid(s.text[s.at:end]) {
		return 0
	}
	return end
}

// past finds where a string ends whose first byte is text[at]: behind its closing
// quote. The end is 0 if it has none, or cannot be read here.
func (s *Scanner) past(at int) (end int, plain bool) {
	text, seen := s.text, s.bits
	for plain = true; ; {
		var word uint64
		if at+8 <= len(text) {
			word = binary.LittleEndian.Uint64(text[at:])
		} else {
			word = lastWord(text, at)
		}
		seen |= word
		stops := stops(word)
		if stops == 0 {
			at += 8
			continue
		}
		at += bits.TrailingZeros64(stops) / 8
		switch {
		case at >= len(text):
			return 0, false
		case text[at] == '"':
			s.bits = seen
			return at + 1, plain
		}
		length := escape(text[at:])
		if length == 0 {
			return 0, false
		}
		plain = false
		at += length
	}
}

// escape is the length of the escape that text begins with: 0 if it is none, or
// the half of a surrogate pair.
func escape(text []byte) int {
	switch {
	case len(text) < 2 || text[0] != '\\':
		return 0
	case short[text[1]]:
		return 2
	case text[1] != 'u' || len(text) < 6:
		return 0
	}
	r, err := strconv.ParseUint(string(text[2:6]), 16, 16)
	if err != nil || utf16.IsSurrogate(rune(r)) {
		return 0
	}
	return 6
}

// lastWord is what is left from a place on, filled up with NULs, which end a run.
func lastWord(text []byte, at int) uint64 {
	var last [8]byte
	copy(last[:], text[min(at, len(text)):])
	return binary.LittleEndian.Uint64(last[:])
}

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// stops finds quotes, backslashes and control characters among eight bytes, and
// marks them by their highest bits. Marks above the lowest one may be wrong.
func stops(word uint64) uint64 {
	quote, backslash := word^ones*'"', word^ones*'\\'
	return ((quote-ones)&^quote | (backslash-ones)&^backslash | (word-ones*' ')&^word) & highs
}

var (
	// short are the bytes that make an escape with the backslash before them.
	short = [256]bool{'"': true, '\\': true, '/': true, 'b': true, 'f': true, 'n': true, 'r': true, 't': true}
	// numeric are the bytes of numbers.
	numeric = [256]bool{
		'+': true, '-': true, '.': true, 'e': true, 'E': true, '0': true, '1': true, '2': true,
		'3': true, '4': true, '5': true, '6': true, '7': true, '8': true, '9': true,
	}
)

package transform

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// printable is the text of a record as a database can store it: valid UTF-8. A
// byte that is not is written as \xNN, and so is the backslash of what would
// otherwise look like such a byte, so that every byte of the record can be restored.
func printable(record []byte) string {
	var text strings.Builder
	for rest := record; len(rest) > 0; {
		r, size := utf8.DecodeRune(rest)
		if (r == utf8.RuneError && size == 1) || escaped(rest) {
			fmt.Fprintf(&text, `\x%02X`, rest[0])
		} else {
			text.Write(rest[:size])
		}
		rest = rest[size:]
	}
	return text.String()
}

// escaped reports whether the text begins with \xNN.
func escaped[Bytes ~[]byte | ~string](text Bytes) bool {
	return len(text) >= 4 && text[0] == '\\' && text[1] == 'x' && hexadecimal(text[2]) && hexadecimal(text[3])
}

func hexadecimal(c byte) bool { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F') }

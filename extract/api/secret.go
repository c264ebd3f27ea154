package api

import (
	"bytes"
	"html"
	"regexp"
	"strconv"
)

// secret is a token, to be kept out of the excerpts that a person wants to see: a
// source may send it back.
type secret string

// escape is how JSON, Go, URLs and HTML may write an ASCII character.
var escape = regexp.MustCompile(`\\u00[0-7][0-9a-fA-F]|\\[/"\\]|%[0-7][0-9a-fA-F]|&#?[0-9A-Za-z]{2,5};`)

// hide takes the token out of a text. Where the token is written with escapes,
// all are undone: such a text is only to be shown.
func (s secret) hide(text []byte) []byte {
	token := []byte(s)
	if plain := escape.ReplaceAllFunc(text, unescape); bytes.Contains(plain, token) {
		text = plain
	}
	return bytes.ReplaceAll(text, token, []byte("[token]"))
}

func unescape(b []byte) []byte {
	switch {
	case b[0] == '&':
		return []byte(html.UnescapeString(string(b)))
	case len(b) == 2: // \/ or \"
		return b[1:]
	}
	n, _ := strconv.ParseUint(string(b[len(b)-2:]), 16, 8) // %2F, \u002F
	return []byte{byte(n)}
}

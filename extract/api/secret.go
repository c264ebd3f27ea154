package api

import (
	"bytes"
	"html"
	"regexp"
	"strconv"
	"strings"
	"unicode"
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

// excerpt shortens what an answer says to one clean line.
func excerpt(body []byte) string {
	const limit = 160
	var b strings.Builder
	for _, field := range strings.FieldsFunc(string(body), func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }) {
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(field)
		if b.Len() > limit {
			return strings.ToValidUTF8(b.String()[:limit], "") + "…"
		}
	}
	return b.String()
}

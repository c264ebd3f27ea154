package extract

import (
	"bytes"
	"errors"
	"html"
	"regexp"
	"strconv"
)

// secret is a token, to be kept out of texts: what a source sends back in a body
// or a header ends up in logs.
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

// hideIn takes it out of an error's text, also where Go quotes what it could not
// read, such as a header.
func (s secret) hideIn(err error) error {
	failure := new(Error)
	if !errors.As(err, &failure) {
		return err
	}
	failure.Message = string(s.hide([]byte(failure.Message)))
	if failure.Err != nil {
		text := []byte(failure.Err.Error())
		if hidden := s.hide(text); !bytes.Equal(hidden, text) {
			failure.Err = errors.New(string(hidden))
		}
	}
	return failure
}

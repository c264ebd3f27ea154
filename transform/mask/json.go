package mask

import (
	"bytes"
	"errors"
	"io"

	"github.com/go-json-experiment/json/jsontext"
)

var errJSON = errors.New("mask: not one JSON value") // quotes nothing of the value

// JSON masks the tokens in each string, number and name of one JSON value, and what has the
// name of a secret ({"password":"x"}). A number with a token becomes a string. Everything
// else keeps its notation; names may become equal. The value itself is returned if nothing
// is found, and its bytes are never changed.
func JSON(value []byte) ([]byte, error) {
	d := jsontext.NewDecoder(bytes.NewBuffer(value), jsontext.AllowDuplicateNames(true))
	var masked []byte
	copied, name := 0, "" // by which word the name of what is next is that of a secret
	for more := true; more; more = d.StackDepth() > 0 {
		kind := d.PeekKind()
		if kind != jsontext.KindString && kind != jsontext.KindNumber {
			if _, err := d.ReadToken(); err != nil {
				return nil, errJSON
			}
			name = ""
			continue
		}
		raw, err := d.ReadValue()
		if err != nil {
			return nil, errJSON
		}
		text, found := scalar(raw, name)
		if found {
			end := int(d.InputOffset())
			masked = append(masked, value[copied:end-len(raw)]...)
			if masked, err = jsontext.AppendQuote(masked, text); err != nil {
				return nil, errJSON
			}
			copied = end
		}
		name = ""
		if isName(d) {
			name = named(text)
		}
	}
	if _, err := d.ReadToken(); !errors.Is(err, io.EOF) {
		return nil, errJSON
	}
	if masked == nil {
		return value, nil
	}
	return append(masked, value[copied:]...), nil
}

// isName reports whether the decoder has just read a name.
func isName(d *jsontext.Decoder) bool {
	kind, length := d.StackIndex(d.StackDepth())
	return kind == jsontext.KindBeginObject && length%2 == 1
}

// scalar masks the text of a string or number, which has the given name.
func scalar(raw jsontext.Value, name string) (text []byte, found bool) {
	text = raw
	if raw.Kind() == jsontext.KindString {
		text = raw[1 : len(raw)-1]
		if bytes.IndexByte(text, '\\') >= 0 {
			text, _ = jsontext.AppendUnquote(nil, raw) // the decoder has verified it
		}
	}
	if name != "" && secretValue(text, name) {
		return []byte(secretMark), true
	}
	return mask(text)
}

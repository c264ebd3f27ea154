package transform

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/flashback-sync/flashback-sync/schema"
	"github.com/flashback-sync/flashback-sync/transform/mask"
)

// rawText is what is stored of a reject: its fields are treated like those of a row. One
// that cannot be read, and so may hold anything, leaves a fingerprint.
func (d *decoder) rawText(record []byte) string {
	t := d.treater
	if t.raw == schema.Drop {
		return t.fingerprint(record)
	}
	if len(t.columns) > 0 {
		treated, err := d.treatRaw(record)
		if err != nil {
			return t.fingerprint(record)
		}
		record = treated
	}
	if t.raw == schema.Mask {
		if masked, err := mask.JSON(record); err == nil {
			record = masked
		}
		record = mask.Text(record)
	}
	return printable(record)
}

// fingerprint identifies a reject without its text. A stored one stays.
func (t *treater) fingerprint(record []byte) string {
	const prefix = "removed:"
	switch {
	case t.again && bytes.HasPrefix(record, []byte(prefix)):
		return string(record)
	case t.hashes != nil:
		return prefix + t.hashes.of([]byte(RowName(t.table, string(record))))
	}
	sum := sha256.Sum256(record)
	return prefix + hex.EncodeToString(sum[:])
}

// treatRaw treats the fields of a record that is a JSON object, whatever their types.
func (d *decoder) treatRaw(record []byte) ([]byte, error) {
	out := []byte{'{'}
	err := eachField(jsontext.NewDecoder(bytes.NewBuffer(record), jsontext.AllowDuplicateNames(true)), func(quoted, value jsontext.Value) (err error) {
		out, err = d.appendField(out, record, quoted, value)
		return err
	})
	return append(out, '}'), err
}

// appendField appends a field, treated; one that leaves no trace is left out.
func (d *decoder) appendField(out, record []byte, quoted, value jsontext.Value) (_ []byte, err error) {
	name := textOf(quoted)
	column, known := d.byName[string(name)]
	dated := d.points && string(name) == "ts"
	switch {
	case !known && !dated && d.treater.extra == schema.Drop:
		return out, nil
	case !known && !dated && d.treater.extra == schema.Mask:
		return maskField(out, quoted, value)
	case known:
		value, err = d.treatField(column, record, value)
	}
	if err != nil {
		return nil, err
	}
	return appendPair(out, quoted, value), nil
}

func appendPair(out []byte, quoted, value jsontext.Value) []byte {
	if len(out) > 1 {
		out = append(out, ',')
	}
	out = append(append(out, quoted...), ':')
	return append(out, value...)
}

// maskField masks the name and the value together: a name may say that the value is secret.
func maskField(out []byte, quoted, value jsontext.Value) ([]byte, error) {
	masked, err := mask.JSON(append(appendPair([]byte{'{'}, quoted, value), '}'))
	if err != nil {
		return nil, err
	}
	if len(out) > 1 {
		out = append(out, ',')
	}
	return append(out, masked[1:len(masked)-1]...), nil
}

// treatField treats the value of a column. A number or an object is treated by its text.
func (d *decoder) treatField(column int, record []byte, value jsontext.Value) (jsontext.Value, error) {
	for _, c := range d.treater.columns {
		switch {
		case c.at != column || value.Kind() == 'n':
		case c.with == schema.Drop:
			return jsontext.Value("null"), nil
		case c.with == schema.Mask && value.Kind() != '"':
			return mask.JSON(value)
		default:
			var id []byte
			if ids := valuesOf(record, d.columns[c.of].API); c.of != c.at && len(ids) > 0 && string(ids[0]) != "null" {
				id = ids[0]
			}
			return jsontext.AppendQuote(nil, d.treater.value(c, textOf(value), id))
		}
	}
	return value, nil
}

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

package format

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"strings"
	"unicode/utf8"
)

// JSON writes an array of objects.
func JSON(out io.Writer, rows Rows) error {
	before := "["
	err := rows.objects(func(object []byte) error {
		_, err := fmt.Fprintf(out, "%s%s", before, object)
		before = ",\n"
		return err
	})
	if err != nil {
		return err
	}
	_, err = io.WriteString(out, strings.TrimPrefix(before, ",\n")+"]\n")
	return err
}

// JSONLines writes a line for each row.
func JSONLines(out io.Writer, rows Rows) error {
	return rows.objects(func(object []byte) error {
		_, err := out.Write(append(object, '\n'))
		return err
	})
}

// objects hands over every row as a JSON object. It is valid until the next one.
func (r Rows) objects(use func([]byte) error) error {
	names := make([][]byte, len(r.Columns))
	for i, c := range r.Columns {
		name, err := json.Marshal(c.Name)
		if err != nil {
			return err
		}
		names[i] = name
	}
	var object []byte
	return r.Each(func(values []*string) error {
		object = append(object[:0], '{')
		for i, value := range values {
			if i > 0 {
				object = append(object, ',')
			}
			object = append(append(object, names[i]...), ':')
			object = appendJSON(object, r.Columns[i].Kind, value)
		}
		return use(escapeControls(append(object, '}')))
	})
}

var control = regexp.MustCompile(`[\x{7f}-\x{9f}]`)

// escapeControls escapes the control characters that JSON allows in its texts. Some
// terminals take them for commands.
func escapeControls(object []byte) []byte {
	if bytes.IndexByte(object, 0x7f) < 0 && bytes.IndexByte(object, 0xc2) < 0 {
		return object // neither DEL nor the first byte of the others
	}
	return control.ReplaceAllFunc(object, func(char []byte) []byte {
		code, _ := utf8.DecodeRune(char)
		return fmt.Appendf(nil, `\u%04x`, code)
	})
}

// appendJSON appends a number, a truth value or a nested value as what it is, if JSON
// can express it, and any other as DuckDB's text. JSON has no infinity and no NaN.
func appendJSON(to []byte, k Kind, value *string) []byte {
	if value == nil {
		return append(to, "null"...)
	}
	if (k.numeric() || k == Boolean || k == Nested) && json.Valid([]byte(*value)) {
		return append(to, *value...)
	}
	quoted, _ := json.Marshal(*value) // a text always can be
	return append(to, quoted...)
}

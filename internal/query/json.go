package query

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"strings"
	"unicode/utf8"
)

// writeJSON writes an array of objects for each statement.
func writeJSON(ctx context.Context, s *session, st *statement, out Output) error {
	before := "["
	err := s.objects(ctx, st, func(object []byte) error {
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

// writeJSONLines writes a line for each row.
func writeJSONLines(ctx context.Context, s *session, st *statement, out Output) error {
	return s.objects(ctx, st, func(object []byte) error {
		_, err := out.Write(append(object, '\n'))
		return err
	})
}

// objects hands over every row as a JSON object. It is valid until the next one.
func (s *session) objects(ctx context.Context, st *statement, use func([]byte) error) error {
	names := make([][]byte, len(st.columns))
	for i, c := range st.columns {
		name, err := json.Marshal(c.name)
		if err != nil {
			return err
		}
		names[i] = name
	}
	var object []byte
	return s.rows(ctx, st.texts(nestedAsJSON), func(values []*string) error {
		object = append(object[:0], '{')
		for i, value := range values {
			if i > 0 {
				object = append(object, ',')
			}
			object = append(append(object, names[i]...), ':')
			object = appendJSON(object, st.columns[i].kind, value)
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

func nestedAsJSON(c column, name string) string {
	if c.kind == nested {
		return "to_json(" + name + ")"
	}
	return name
}

// appendJSON appends a number, a truth value or a nested value as what it is, if JSON
// can express it, and any other as DuckDB's text. JSON has no infinity and no NaN.
func appendJSON(to []byte, k kind, value *string) []byte {
	if value == nil {
		return append(to, "null"...)
	}
	if (k.numeric() || k == boolean || k == nested) && json.Valid([]byte(*value)) {
		return append(to, *value...)
	}
	quoted, _ := json.Marshal(*value) // a text always can be
	return append(to, quoted...)
}

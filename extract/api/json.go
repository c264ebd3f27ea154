package api

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// lenient only finds the borders of values: a record with invalid UTF-8 or a repeated
// key must not cost the other 99.
var lenient = json.JoinOptions(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))

// fields are those of a JSON object. Of several with one name the last counts.
type fields map[string]field

// field is the value of a field as it was sent. An array is read as its elements, so that
// a page is read once.
type field struct {
	jsontext.Value
	array    bool
	elements []jsontext.Value
}

// UnmarshalJSONFrom reads the value.
func (f *field) UnmarshalJSONFrom(d *jsontext.Decoder) (err error) {
	*f = field{array: d.PeekKind() == '['}
	if !f.array {
		f.Value, err = d.ReadValue()
		return err
	}
	for _, err = d.ReadToken(); err == nil && d.PeekKind() != ']'; {
		var value jsontext.Value
		value, err = d.ReadValue()
		f.elements = append(f.elements, value)
	}
	if err == nil {
		_, err = d.ReadToken()
	}
	return err
}

// readAnswer reads an answer, which is one JSON object. Its values are parts of the body: a
// decoder reads a bytes.Buffer in place.
func readAnswer(body []byte) (answer fields, err error) {
	d := jsontext.NewDecoder(bytes.NewBuffer(bytes.TrimPrefix(body, byteOrderMark)), lenient)
	if err := json.UnmarshalDecode(d, &answer); err != nil {
		return nil, syntax(err)
	}
	if _, err := d.ReadToken(); !errors.Is(err, io.EOF) {
		return nil, errors.New("text after the JSON object")
	}
	switch string(answer["success"].Value) {
	case "", "true":
		return answer, nil
	case "false":
		return nil, errors.New("success is false")
	}
	return nil, errors.New("success is not true or false")
}

// list is a field that must be an array.
func (f fields) list(name string) ([]jsontext.Value, error) {
	found, ok := f[name]
	switch {
	case !ok:
		return nil, fmt.Errorf("it lacks %q", name)
	case !found.array:
		return nil, errors.New("the list is not an array")
	}
	return found.elements, nil
}

// syntax is what is wrong with a JSON text, and where. The library quotes names and
// characters.
func syntax(err error) error {
	var found *jsontext.SyntacticError
	switch {
	case !errors.As(err, &found):
		return errors.New("not a JSON object")
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("the JSON is cut off at byte %d", found.ByteOffset)
	}
	return fmt.Errorf("invalid JSON at byte %d", found.ByteOffset)
}

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

// fields are those of a JSON object, as they were sent. Of several with one name the last
// counts.
type fields map[string]jsontext.Value

// readAnswer reads an answer, which is one JSON object.
func readAnswer(body []byte) (answer fields, err error) {
	if err := json.Unmarshal(bytes.TrimPrefix(body, byteOrderMark), &answer, lenient); err != nil {
		return nil, syntax(err)
	}
	switch string(answer["success"]) {
	case "", "true":
		return answer, nil
	case "false":
		return nil, errors.New("success is false")
	}
	return nil, errors.New("success is not true or false")
}

// list is a field that must be an array.
func (f fields) list(name string) (elements []jsontext.Value, err error) {
	found, ok := f[name]
	if !ok {
		return nil, fmt.Errorf("it lacks %q", name)
	}
	if err := json.Unmarshal(found, &elements, lenient); err != nil || elements == nil {
		return nil, errors.New("the list is not an array")
	}
	return elements, nil
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

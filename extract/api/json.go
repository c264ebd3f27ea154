package api

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/go-json-experiment/json/jsontext"
)

// decoder only finds the borders of values: a record with invalid UTF-8 or a repeated
// key must not cost the other 99.
func decoder(text []byte) *jsontext.Decoder {
	return jsontext.NewDecoder(bytes.NewBuffer(text), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
}

// readAnswer reads an answer, which is one JSON object. The function is called with the
// name of each field but success, and reads its value.
func readAnswer(body []byte, field func(name string, d *jsontext.Decoder) error) error {
	d := decoder(body)
	err := readObject(d, func(name string, d *jsontext.Decoder) error {
		if name == "success" {
			return readSuccess(d)
		}
		return field(name, d)
	})
	if err == nil {
		if _, end := d.ReadToken(); !errors.Is(end, io.EOF) {
			err = errors.New("text after the JSON object")
		}
	}
	if err != nil {
		return fmt.Errorf("the answer is not a page: %w", syntax(err))
	}
	return nil
}

func readObject(d *jsontext.Decoder, field func(name string, d *jsontext.Decoder) error) error {
	if err := readStart(d, '{', "not a JSON object"); err != nil {
		return err
	}
	for d.PeekKind() == '"' {
		name, err := d.ReadToken()
		if err != nil {
			return err
		}
		if err := field(name.String(), d); err != nil {
			return err
		}
	}
	_, err := d.ReadToken()
	return err
}

// readArray gives each value of an array, which is valid until the next one.
func readArray(d *jsontext.Decoder, element func(jsontext.Value)) error {
	if err := readStart(d, '[', "the list is not an array"); err != nil {
		return err
	}
	for d.PeekKind() != ']' {
		value, err := d.ReadValue()
		if err != nil {
			return err
		}
		element(value)
	}
	_, err := d.ReadToken()
	return err
}

func readStart(d *jsontext.Decoder, kind jsontext.Kind, otherwise string) error {
	token, err := d.ReadToken()
	if err == nil && token.Kind() != kind {
		err = errors.New(otherwise)
	}
	return err
}

func readSuccess(d *jsontext.Decoder) error {
	token, err := d.ReadToken()
	switch {
	case err != nil:
		return err
	case token.Kind() == 'f':
		return errors.New("success is false")
	case token.Kind() != 't':
		return errors.New("success is not true or false")
	}
	return nil
}

// syntax is what is wrong with a JSON text, and where. The library quotes names and
// characters.
func syntax(err error) error {
	var found *jsontext.SyntacticError
	switch {
	case !errors.As(err, &found):
		return err
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("the JSON is cut off at byte %d", found.ByteOffset)
	}
	return fmt.Errorf("invalid JSON at byte %d", found.ByteOffset)
}

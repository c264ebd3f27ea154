package api

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/flashback-sync/flashback-sync/checkpoints/instant"
)

// parsePage reads the envelope of a list. Records stay raw: their faults are
// not the page's. A page that is not what the API documents is an error.
func parsePage(body []byte, list List) (*Answer, error) {
	page, err := readEnvelope(bytes.TrimPrefix(body, byteOrderMark), list)
	if err != nil {
		return nil, err
	}
	for i := range page.Rows {
		if r := &page.Rows[i]; r.ID == "" {
			r.Text = string(r.Raw)
		}
	}
	return page, nil
}

// readEnvelope reads the fields of a page.
func readEnvelope(body []byte, list List) (*Answer, error) {
	// The decoder only finds the borders: a record with invalid UTF-8 or a
	// repeated key must not cost the other 99.
	d := jsontext.NewDecoder(bytes.NewBuffer(body), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	page := &Answer{Total: -1}
	if token, err := d.ReadToken(); err != nil || token.Kind() != '{' {
		return nil, notPage(err)
	}
	found := false
	for d.PeekKind() == '"' {
		name, err := d.ReadToken()
		if err != nil {
			return nil, notPage(err)
		}
		switch name.String() {
		case string(list):
			found = true
			err = page.readRows(d, body)
		case "total":
			page.Total, err = readCount(d)
		case "success":
			err = readSuccess(d)
		default:
			err = d.SkipValue()
		}
		if err != nil {
			return nil, notPage(err)
		}
	}
	if _, err := d.ReadToken(); err != nil {
		return nil, notPage(err)
	}
	if _, err := d.ReadToken(); !errors.Is(err, io.EOF) {
		return nil, notPage(errors.New("text after the JSON object"))
	}
	if !found || page.Total < 0 {
		return nil, fmt.Errorf("the answer lacks %q or a total", list)
	}
	return page, nil
}

func notPage(err error) error {
	if err == nil {
		err = errors.New("not a JSON object")
	}
	return fmt.Errorf("the answer is not a page: %w", syntax(err))
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

func readCount(d *jsontext.Decoder) (int, error) {
	value, err := d.ReadValue()
	if err != nil {
		return -1, err
	}
	n, err := strconv.Atoi(string(value))
	if err != nil || n < 0 {
		return -1, errors.New("total is not a count")
	}
	return n, nil
}

func (a *Answer) readRows(d *jsontext.Decoder, body []byte) error {
	token, err := d.ReadToken()
	if err != nil {
		return err
	}
	if token.Kind() != '[' {
		return errors.New("the list is not an array")
	}
	a.Rows = make([]Row, 0, MaxTake)
	for d.PeekKind() != ']' {
		value, err := d.ReadValue()
		if err != nil {
			return err
		}
		// The decoder may reuse its own buffer: take the record from the body.
		end := d.InputOffset()
		a.Rows = append(a.Rows, peek(body[end-int64(len(value)):end:end]))
	}
	_, err = d.ReadToken()
	return err
}

// peek finds a record's id and timestamp and stops there.
func peek(record []byte) Row {
	r := Row{Raw: record}
	d := jsontext.NewDecoder(bytes.NewBuffer(record), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	if token, err := d.ReadToken(); err != nil || token.Kind() != '{' {
		return r
	}
	for d.PeekKind() == '"' && (r.ID == "" || !r.Dated) {
		name, err := d.ReadValue()
		if err != nil {
			return r
		}
		isID, isTime := string(name) == `"id"`, string(name) == `"timestamp"`
		value, err := d.ReadValue()
		if err != nil {
			return r
		}
		switch {
		case isID:
			r.ID = string(value)
		case isTime:
			r.At, r.Dated = readInstant(value)
		}
	}
	return r
}

// readInstant reads a quoted timestamp. One with escapes is unquoted first.
func readInstant(value jsontext.Value) (instant.Micros, bool) {
	if value.Kind() != '"' {
		return 0, false
	}
	text := []byte(value[1 : len(value)-1])
	if bytes.IndexByte(text, '\\') >= 0 {
		var err error
		if text, err = jsontext.AppendUnquote(nil, value); err != nil {
			return 0, false
		}
	}
	return instant.Parse(text)
}

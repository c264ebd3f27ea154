package api

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/flashback-sync/flashback-sync/checkpoints/instant"
)

// parsePage reads the envelope of a list. Records stay raw: their faults are
// not the page's. A page that is not what the API documents is an error.
func parsePage(body []byte, list List) (*Answer, error) {
	page, found := &Answer{Total: -1}, false
	body = bytes.TrimPrefix(body, byteOrderMark)
	err := readAnswer(body, func(name string, d *jsontext.Decoder) (err error) {
		switch name {
		case string(list):
			found = true
			page.Rows, err = readRows(d, body)
		case "total":
			page.Total, err = readCount(d)
		default:
			err = d.SkipValue()
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if !found || page.Total < 0 {
		return nil, fmt.Errorf("the answer lacks %q or a total", list)
	}
	return page, nil
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

func readRows(d *jsontext.Decoder, body []byte) ([]Row, error) {
	rows := make([]Row, 0, MaxTake)
	err := readArray(d, func(value jsontext.Value) {
		// The decoder may reuse its own buffer: take the record from the body.
		end := d.InputOffset()
		rows = append(rows, peek(body[end-int64(len(value)):end:end]))
	})
	return rows, err
}

// peek finds a record's id and timestamp and stops there.
func peek(record []byte) Row {
	r := Row{Raw: record}
	d := decoder(record)
	if readStart(d, '{', "") == nil {
		r.readKeys(d)
	}
	if r.ID == "" {
		r.Text = string(record)
	}
	return r
}

func (r *Row) readKeys(d *jsontext.Decoder) {
	for d.PeekKind() == '"' && (r.ID == "" || !r.Dated) {
		name, err := d.ReadValue()
		if err != nil {
			return
		}
		isID, isTime := string(name) == `"id"`, string(name) == `"timestamp"`
		value, err := d.ReadValue()
		switch {
		case err != nil:
			return
		case isID:
			r.ID = string(value)
		case isTime:
			r.At, r.Dated = readInstant(value)
		}
	}
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

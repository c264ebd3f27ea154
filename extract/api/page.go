package api

import (
	"bytes"
	"errors"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/flashback-sync/flashback-sync/checkpoints/instant"
)

// parsePage reads the envelope of a list. Records stay raw: their faults are
// not the page's. A page that is not what the API documents is an error.
func parsePage(body []byte, list string) (*Answer, error) {
	answer, err := readAnswer(body)
	if err != nil {
		return nil, err
	}
	records, err := answer.list(list)
	if err != nil {
		return nil, err
	}
	page := &Answer{Rows: make([]Row, len(records))}
	if page.Total, err = strconv.Atoi(string(answer["total"].Value)); err != nil || page.Total < 0 {
		return nil, errors.New("total is not a count")
	}
	d := jsontext.NewDecoder(&bytes.Buffer{}, lenient)
	for i, record := range records {
		d.Reset(bytes.NewBuffer(record), lenient)
		page.Rows[i] = peek(d, record)
	}
	return page, nil
}

// peek finds a record's id and timestamp and stops there.
func peek(d *jsontext.Decoder, record []byte) Row {
	r := Row{Raw: record}
	if start, err := d.ReadToken(); err == nil && start.Kind() == '{' {
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
	text, err := jsontext.AppendUnquote(nil, value)
	if err != nil {
		return 0, false
	}
	return instant.Parse(text)
}

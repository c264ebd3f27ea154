package extract

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/flashback-sync/flashback-sync/checkpoints/instant"
)

// row is what the walk must know of a record.
type row struct {
	id   string // the id as it is written in the JSON; "" if there is none
	text string // the record, if it has no id
	at   instant.Micros
	ok   bool // whether at could be read
	// raw is the record, a part of the body. Once the page was yielded it is its
	// reader's, and the walk may not look at it any more.
	raw []byte
}

// answer is one page of a list as the API sent it, newest row first.
type answer struct {
	bounds
	rows  []row
	total int
	body  []byte // nil once it was yielded
}

// parsePage reads the envelope of a list. Records stay raw: their faults are
// not the page's. A page that is not what the API documents is an error.
func parsePage(body []byte, list List) (*answer, error) {
	page, err := readEnvelope(bytes.TrimPrefix(body, byteOrderMark), list)
	if err != nil {
		return nil, err
	}
	page.body = body
	for i := range page.rows {
		if r := &page.rows[i]; r.id == "" {
			r.text = string(r.raw)
		}
	}
	return page, nil
}

// readEnvelope reads the fields of a page.
func readEnvelope(body []byte, list List) (*answer, error) {
	// The decoder only finds the borders: a record with invalid UTF-8 or a
	// repeated key must not cost the other 99.
	d := jsontext.NewDecoder(bytes.NewBuffer(body), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	page := &answer{total: -1}
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
			page.total, err = readCount(d)
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
	if !found || page.total < 0 {
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

func (a *answer) readRows(d *jsontext.Decoder, body []byte) error {
	token, err := d.ReadToken()
	if err != nil {
		return err
	}
	if token.Kind() != '[' {
		return errors.New("the list is not an array")
	}
	a.rows = make([]row, 0, MaxTake)
	for d.PeekKind() != ']' {
		value, err := d.ReadValue()
		if err != nil {
			return err
		}
		// The decoder may reuse its own buffer: take the record from the body.
		end := d.InputOffset()
		a.rows = append(a.rows, peek(body[end-int64(len(value)):end:end]))
	}
	_, err = d.ReadToken()
	return err
}

// peek finds a record's id and timestamp and stops there.
func peek(record []byte) row {
	r := row{raw: record}
	d := jsontext.NewDecoder(bytes.NewBuffer(record), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	if token, err := d.ReadToken(); err != nil || token.Kind() != '{' {
		return r
	}
	for d.PeekKind() == '"' && (r.id == "" || !r.ok) {
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
			r.id = string(value)
		case isTime:
			r.at, r.ok = readInstant(value)
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

// oldest is the smallest timestamp of the page; ok is false if it has none. The
// order of the rows is not relied on.
func (a *answer) oldest() (oldest instant.Micros, ok bool) {
	for _, r := range a.rows {
		if r.ok && (!ok || r.at < oldest) {
			oldest, ok = r.at, true
		}
	}
	return oldest, ok
}

// oldestFrom is the smallest timestamp of the page from the limit up.
func (a *answer) oldestFrom(limit instant.Micros) (oldest instant.Micros, ok bool) {
	for _, r := range a.rows {
		if r.ok && r.at >= limit && (!ok || r.at < oldest) {
			oldest, ok = r.at, true
		}
	}
	return oldest, ok
}

// newest is the largest timestamp of the page; ok is false if it has none.
func (a *answer) newest() (newest instant.Micros, ok bool) {
	for _, r := range a.rows {
		if r.ok && (!ok || r.at > newest) {
			newest, ok = r.at, true
		}
	}
	return newest, ok
}

// strays reports whether the page holds rows from the limit up. One alone may be
// a record that is dated wrongly.
func (a *answer) strays(limit instant.Micros) bool {
	count := 0
	for _, r := range a.rows {
		if r.ok && r.at >= limit {
			count++
		}
	}
	return !a.open && count >= 2
}

// lone reports whether one row is all that the page tells of time, and lies from the
// limit up: there is no way down from it.
func (a *answer) lone(limit instant.Micros) bool {
	oldest, dated := a.oldest()
	return dated && oldest >= limit && !a.open && !a.strays(limit)
}

// passes reports whether the page goes on below the limit: then it holds all
// there is above. It takes the two last rows to say so, since one alone may be a
// record that is dated wrongly.
func (a *answer) passes(limit instant.Micros) bool {
	n := len(a.rows)
	return n >= 2 && a.rows[n-1].ok && a.rows[n-1].at < limit && a.rows[n-2].ok && a.rows[n-2].at < limit
}

// identity tells a record from others: its id and time, without an id its text.
// Two rows of different times may have one id, and count as two.
type identity struct {
	id, text string
	at       instant.Micros
}

func (r row) identity() identity {
	if r.id == "" {
		return identity{text: r.text}
	}
	return identity{id: r.id, at: r.at}
}

// light is the row without the record, which would keep its whole page in memory.
func (r row) light() row {
	r.raw = nil
	return r
}

package transform

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/flashback-sync/flashback-sync/schema"
)

// decoder reads records of one table into slots, one slot a column.
type decoder struct {
	columns []schema.Column
	byName  map[string]int // API field to column
	extra   int            // column that keeps unknown fields; -1 if there is none
	slots   []slot
	scratch []byte
	unknown []span              // fields of this record that no column has
	names   map[string]struct{} // their names, unescaped; nil if there are none
	next    int                 // column that the next field is likely to be for
	json    *jsontext.Decoder
	source  bytes.Buffer
	report  map[string]struct{} // names of unknown fields met so far
}

const (
	// reported bounds how many unknown names are remembered for the report, and
	// excerpted how many bytes of a name from the source a message repeats.
	reported  = 100
	excerpted = 64
)

// span is one unknown field, as sent: the quoted name and the value.
type span struct{ name, value []byte }

func newDecoder(table *schema.Table) *decoder {
	d := &decoder{
		columns: table.Batch(), byName: map[string]int{}, extra: -1,
		json: jsontext.NewDecoder(&bytes.Buffer{}), report: map[string]struct{}{},
	}
	for i, c := range d.columns {
		switch {
		case c.Origin == schema.FromRecord && c.API != "":
			d.byName[c.API] = i
		case c.Origin == schema.Unknown:
			d.extra = i
		}
	}
	d.slots = make([]slot, len(d.columns))
	return d
}

// decode fills the slots from a record. The error is the reason to reject it.
func (d *decoder) decode(record []byte, ignore map[string]bool) error {
	d.clear()
	if err := d.fields(record, ignore); err != nil {
		return err
	}
	d.gatherExtra()
	return nil
}

func (d *decoder) clear() {
	clear(d.slots)
	d.scratch = d.scratch[:0]
	d.unknown, d.names, d.next = d.unknown[:0], nil, 0
}

// checkRequired rejects a record that lacks what every row must have.
func (d *decoder) checkRequired() error {
	for i, c := range d.columns {
		if c.NotNull && (!d.slots[i].set || (c.Type == schema.Text && len(d.slots[i].text) == 0)) {
			return fmt.Errorf("%s is missing", cmp.Or(c.API, c.Name))
		}
	}
	return nil
}

func (d *decoder) fields(record []byte, ignore map[string]bool) error {
	// The decoder reads a bytes.Buffer in place, so values are parts of the record.
	d.source = *bytes.NewBuffer(record)
	// Repeated names are looked for below, on the level that matters; inside the
	// value of an unknown field they are the source's affair.
	d.json.Reset(&d.source, jsontext.AllowDuplicateNames(true))
	if token, err := d.json.ReadToken(); err != nil || token.Kind() != '{' {
		return unreadable(err, "not a JSON object")
	}
	for d.json.PeekKind() == '"' {
		name, err := d.json.ReadValue()
		if err != nil {
			return unreadable(err, "")
		}
		value, err := d.json.ReadValue()
		if err != nil {
			return unreadable(err, "")
		}
		if err := d.field(name, value, ignore); err != nil {
			return err
		}
	}
	if _, err := d.json.ReadToken(); err != nil {
		return unreadable(err, "")
	}
	if _, err := d.json.ReadToken(); !errors.Is(err, io.EOF) {
		return unreadable(err, "text after the JSON object")
	}
	return nil
}

func unreadable(err error, otherwise string) error {
	if err == nil {
		return errors.New(otherwise)
	}
	return fmt.Errorf("unreadable JSON: %w", err)
}

func (d *decoder) field(quoted, value []byte, ignore map[string]bool) error {
	name := quoted[1 : len(quoted)-1]
	if bytes.IndexByte(name, '\\') >= 0 {
		var err error
		if name, err = jsontext.AppendUnquote(nil, quoted); err != nil {
			return unreadable(err, "")
		}
	}
	column, known := d.columnOf(name)
	switch {
	case !known && ignore[string(name)]:
		return nil
	case !known:
		return d.keep(quoted, value, name)
	case d.slots[column].seen:
		return twice(name)
	}
	s := &d.slots[column]
	s.seen = true
	var err error
	if d.scratch, err = s.decode(d.columns[column].Type, value, d.scratch); err != nil {
		return fmt.Errorf("%s %w", name, err)
	}
	return nil
}

// columnOf finds the column of a field. Sources send fields in the order in
// which the columns are declared, so the map is seldom asked.
func (d *decoder) columnOf(name []byte) (column int, known bool) {
	if d.next < len(d.columns) && d.columns[d.next].API == string(name) && len(name) > 0 {
		column, known = d.next, true
	} else {
		column, known = d.byName[string(name)]
	}
	if known {
		d.next = column + 1
	}
	return column, known
}

// keep remembers an unknown field.
func (d *decoder) keep(quoted, value, name []byte) error {
	if d.names == nil {
		d.names = map[string]struct{}{}
	}
	text := string(name)
	if _, met := d.names[text]; met {
		return twice(name)
	}
	d.names[text] = struct{}{}
	d.unknown = append(d.unknown, span{quoted, value})
	if _, met := d.report[text]; !met && len(d.report) < reported {
		d.report[excerpt(name)] = struct{}{}
	}
	return nil
}

func twice(name []byte) error { return fmt.Errorf("%s is there twice", excerpt(name)) }

// excerpt is as much of a name that the source chose as a message should repeat.
func excerpt(name []byte) string {
	if len(name) <= excerpted {
		return string(name)
	}
	return strings.ToValidUTF8(string(name[:excerpted]), "") + "…"
}

// gatherExtra writes the unknown fields as one JSON object, each as it was sent.
func (d *decoder) gatherExtra() {
	if d.extra < 0 || len(d.unknown) == 0 {
		return
	}
	start := len(d.scratch)
	for i, field := range d.unknown {
		d.scratch = append(d.scratch, "{,"[min(i, 1)])
		d.scratch = append(d.scratch, field.name...)
		d.scratch = append(d.scratch, ':')
		d.scratch = append(d.scratch, field.value...)
	}
	d.scratch = append(d.scratch, '}')
	d.slots[d.extra] = slot{set: true, text: d.scratch[start:]}
}

package transform

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/flashback-sync/flashback-sync/schema"
)

// decoder reads records of one table into slots, one slot a column.
type decoder struct {
	columns  []schema.Column
	byName   map[string]int // API field to column
	required []int          // columns that every row must have
	extra    int            // column that keeps unknown fields; -1 if there is none
	slots    []slot
	record   []byte // being decoded
	scratch  []byte
	points   bool                // records are points of a series, dated by ts
	ts       jsontext.Value      // of this point, as sent; nil if there is none
	unknown  []span              // other fields of this record that no column has
	met      map[string]struct{} // their names, unescaped; nil if there are none
	json     *jsontext.Decoder
	source   bytes.Buffer
	report   map[string]struct{} // names of unknown fields met so far
	treater  *treater
	before   []slot // what treat reads, as the record has it
}

// reported bounds how many unknown names are remembered for the report.
const reported = 100

// span is one unknown field, as sent: the quoted name and the value.
type span struct{ name, value []byte }

func newDecoder(table *schema.Table, policy *Policy) *decoder {
	d := &decoder{
		columns: table.Batch(), byName: map[string]int{}, extra: -1,
		json: jsontext.NewDecoder(&bytes.Buffer{}), report: map[string]struct{}{},
	}
	d.treater = newTreater(table, d.columns, policy)
	d.slots = make([]slot, len(d.columns))
	for i, c := range d.columns {
		switch {
		case c.Origin == schema.FromRecord && c.API != "":
			d.byName[c.API] = i
		case c.Origin == schema.Unknown:
			d.extra = i
		}
		if c.NotNull {
			d.required = append(d.required, i)
		}
	}
	return d
}

// decode fills the slots from a record. The error is the reason to reject it.
func (d *decoder) decode(record []byte) error {
	d.record, d.ts = record, nil
	clear(d.slots)
	d.scratch = d.scratch[:0]
	d.unknown, d.met = d.unknown[:0], nil
	if err := d.fields(); err != nil {
		return err
	}
	d.gatherExtra()
	return nil
}

// checkRequired rejects a record that lacks what every row must have.
func (d *decoder) checkRequired() error {
	for _, i := range d.required {
		c := &d.columns[i]
		if !d.slots[i].set || (c.Type == schema.Text && d.slots[i].from == d.slots[i].to) {
			return fmt.Errorf("%s is missing", cmp.Or(c.API, c.Name))
		}
	}
	return nil
}

func (d *decoder) fields() error {
	// The decoder reads a bytes.Buffer in place, so values are parts of the record.
	d.source = *bytes.NewBuffer(d.record)
	// Repeated names are looked for below, on the level that matters; inside the
	// value of an unknown field they are the source's affair.
	d.json.Reset(&d.source, jsontext.AllowDuplicateNames(true))
	return eachField(d.json, d.field)
}

// eachField visits the fields of a record that is one JSON object: their names, in quotes,
// and their values. The error of what cannot be read is a reason to reject the record.
func eachField(json *jsontext.Decoder, visit func(quoted, value jsontext.Value) error) error {
	if token, err := json.ReadToken(); err != nil || token.Kind() != '{' {
		return unreadable(err, "not a JSON object")
	}
	for json.PeekKind() == '"' {
		name, err := json.ReadValue()
		if err != nil {
			return unreadable(err, "")
		}
		value, err := json.ReadValue()
		if err != nil {
			return unreadable(err, "")
		}
		if err := visit(name, value); err != nil {
			return err
		}
	}
	if _, err := json.ReadToken(); err != nil {
		return unreadable(err, "")
	}
	if _, err := json.ReadToken(); !errors.Is(err, io.EOF) {
		return unreadable(err, "text after the JSON object")
	}
	return nil
}

func unreadable(err error, otherwise string) error {
	if err == nil {
		return errors.New(otherwise)
	}
	// The library's text quotes names and characters of the record.
	found := new(jsontext.SyntacticError)
	if !errors.As(err, &found) {
		return errors.New("unreadable JSON")
	}
	for _, kind := range []string{"invalid UTF-8", "surrogate", "max depth"} {
		if strings.Contains(found.Err.Error(), kind) {
			return fmt.Errorf("unreadable JSON at byte %d: %s", found.ByteOffset, kind)
		}
	}
	return fmt.Errorf("unreadable JSON at byte %d", found.ByteOffset)
}

func (d *decoder) field(quoted, text jsontext.Value) error {
	name := quoted[1 : len(quoted)-1]
	if bytes.IndexByte(name, '\\') >= 0 {
		var err error
		if name, err = jsontext.AppendUnquote(nil, quoted); err != nil {
			return unreadable(err, "")
		}
	}
	column, known := d.byName[string(name)]
	dates := d.points && string(name) == "ts"
	switch {
	case known && d.slots[column].seen, dates && d.ts != nil:
		return d.twice(name)
	case known:
		if err := d.set(column, text, int(d.json.InputOffset())-len(text)); err != nil {
			return fmt.Errorf("%s %w", name, err)
		}
		return nil
	case dates:
		d.ts = text
		return nil
	}
	d.unknown = append(d.unknown, span{quoted, text})
	return d.note(name)
}

// note remembers the name of an unknown field: for the report, if the record is stored, and
// to find it when the record has it twice.
func (d *decoder) note(name []byte) error {
	if d.met == nil {
		d.met = map[string]struct{}{}
	}
	text := string(name)
	if _, again := d.met[text]; again {
		return d.twice(name)
	}
	d.met[text] = struct{}{}
	return nil
}

// reportUnknown adds the unknown fields of the record to the report, but for those that
// mention somebody hidden.
func (d *decoder) reportUnknown() {
	if d.treater.extra == schema.Drop {
		return
	}
	for name := range d.met {
		if _, met := d.report[name]; met || len(d.report) >= reported {
			continue
		}
		if m := d.treater.mentions; m == nil || !m.in([]byte(name)) {
			d.report[printed([]byte(name))] = struct{}{}
		}
	}
}

// twice names the field unless unknown fields leave no trace.
func (d *decoder) twice(name []byte) error {
	if _, known := d.byName[string(name)]; !known && d.treater.extra != schema.Keep {
		return errors.New("an unknown field is there twice")
	}
	return errors.New(printed(name) + isTwice)
}

const isTwice = " is there twice"

// cutTwice is the field that a reason of twice names.
func cutTwice(reason string) (name string, twice bool) { return strings.CutSuffix(reason, isTwice) }

// identifier is what the name of a field looks like.
var identifier = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,63}$`)

// printed is the name of a field as a message may repeat it. What does not look like
// one may be personal: the key of a dictionary, say.
func printed(name []byte) string {
	if identifier.Match(name) {
		return string(name)
	}
	return "a field with an unusual name"
}

// gatherExtra writes the unknown fields as one JSON object, each as it was sent.
func (d *decoder) gatherExtra() {
	if d.extra < 0 || len(d.unknown) == 0 || d.treater.extra == schema.Drop {
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
	d.slots[d.extra].set = true
	d.wrote(&d.slots[d.extra], start)
}

package transform

import (
	"unicode/utf8"

	"github.com/flashback-sync/flashback-sync/internal/flat"
)

// flat does for nearly every record what fields does, in a fraction of the time.
// It reports false for a record that is not flat and for one that has a fault:
// nothing is decided by then, and fields is to read it from the start.
func (d *decoder) flat(ignore map[string]bool) bool {
	scanner, ok := flat.Open(d.record, 0)
	for ok && scanner.More() {
		ok = d.flatField(&scanner, ignore)
	}
	if !ok || scanner.Offset() != len(d.record) || (!scanner.ASCII() && !utf8.Valid(d.record)) {
		return false
	}
	for _, field := range d.unknown {
		if d.note(field.name[1:len(field.name)-1]) != nil {
			return false
		}
	}
	return true
}

func (d *decoder) flatField(scanner *flat.Scanner, ignore map[string]bool) (ok bool) {
	column, known := d.next, true
	var quoted []byte
	// Sources send fields in the order in which the columns are declared.
	if column >= len(d.names) || !scanner.Is(d.names[column]) {
		if quoted, ok = scanner.Name(); !ok {
			return false
		}
		column, known = d.byName[string(quoted[1:len(quoted)-1])]
	}
	at := scanner.Offset()
	text, plain, ok := scanner.Value()
	switch {
	case !ok:
		return false
	case !known:
		if !ignore[string(quoted[1:len(quoted)-1])] {
			d.unknown = append(d.unknown, span{quoted, text})
		}
		return true
	case d.slots[column].seen:
		return false
	}
	d.next = column + 1
	return d.set(column, value{text, at, plain}) == nil
}

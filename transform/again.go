package transform

import "github.com/flashback-sync/flashback-sync/schema"

// Again treats the stored values of a column, for a policy that is applied to what is
// stored already: it gives what the policy would have stored of the source's record. id is
// the value of the column beside a name that identifies what is named; nil if there is
// none. A nil result is NULL. The function is for one goroutine.
func (p *Policy) Again(c schema.TableColumn) func(text, id *string) *string {
	t := newTreater(c.Table, c.Table.Batch(), p)
	t.again = true
	with := treated{Column: c.Column, with: p.Of(c.Table.Name, c.Column.Name)}
	return func(text, id *string) *string {
		if text == nil || with.with == schema.Drop {
			return nil
		}
		var of []byte
		if id != nil && c.IDOf != "" {
			of = []byte(*id)
		}
		return new(string(t.value(with, []byte(*text), of)))
	}
}

// RejectAgain is Again for the texts of a stream's rejects, and their reasons. A reject that
// no longer can be read leaves a fingerprint of its stored text.
func (p *Policy) RejectAgain(stream *schema.Stream) (raw, reason func(text string) string) {
	d := newDecoder(stream.Table, p)
	d.points = stream.Kind == schema.Series
	d.treater.again = true
	raw = func(text string) string { return d.rawText([]byte(text)) }
	reason = func(text string) string {
		if name, twice := cutTwice(text); twice {
			return d.twice([]byte(name)).Error()
		}
		return text
	}
	return raw, reason
}

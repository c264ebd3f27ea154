package transform

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/flashback-sync/flashback-sync/schema"
)

// AddStored adds a row that an earlier release stored, as this release would read it from
// the source: fields that were kept in extra, for lack of a column, are in their columns.
// The values are those of schema.Table.Batch, in its order: nil, string, bool, int64,
// float64 or time.Time. The policy is applied to what was in extra; values that it treated
// before stay. A row whose fields do not fit is Rejected: it has to stay as it is,
// and is in no Rejects.
func (b *Batch) AddStored(values []any) Outcome {
	more := given{}
	fields := map[string]any{}
	var extra string
	for i, c := range b.table.Batch() {
		switch {
		case values[i] == nil:
		case c.Origin == schema.FromRequest:
			more[c.Name] = values[i]
		case c.Origin == schema.Unknown:
			extra, _ = values[i].(string)
		default:
			fields[c.API] = sent(values[i])
		}
	}
	record, err := json.Marshal(fields)
	if err != nil {
		return Rejected
	}
	if inner := strings.TrimPrefix(extra, "{"); inner != extra && inner != "}" {
		if len(fields) > 0 {
			inner = "," + inner
		}
		record = append(record[:len(record)-1], inner...)
	}
	outcome := b.addAgain(record, more)
	if outcome == Rejected {
		b.rejects = b.rejects[:len(b.rejects)-1]
	}
	return outcome
}

// AddReject is Add for the text of a stored reject, which the policy treated before.
func (b *Batch) AddReject(raw []byte) Outcome { return b.addAgain(raw, nil) }

func (b *Batch) addAgain(record []byte, more given) Outcome {
	b.decoder.treater.again = true
	defer func() { b.decoder.treater.again = false }()
	return b.add(record, more)
}

// sent is a stored value as the source may have sent it.
func sent(value any) any {
	if at, ok := value.(time.Time); ok {
		return at.UTC().Format(time.RFC3339Nano)
	}
	return value
}

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

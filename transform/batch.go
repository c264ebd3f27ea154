package transform

import (
	"encoding/binary"
	"hash/maphash"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/flashback-sync/flashback-sync/schema"
)

// Outcome is what became of a record.
type Outcome int

const (
	// Added to the batch.
	Added Outcome = iota
	// Duplicate of a row that the batch already has, the same in every byte.
	Duplicate
	// Conflict with a row of the batch that has the same key and other content.
	// Build the batch and add the record to the next: the later version wins.
	Conflict
	// Rejected, with the reason in Rejects.
	Rejected
	// Withheld: the policy says that nothing of it is stored.
	Withheld
	// Expired is dated before what is kept, and passed over: see DropBefore.
	Expired
)

// given are the values of the columns that come from the request and not from
// the record, by column name: string, bool or time.Time. What is not there is NULL.
type given map[string]any

// Batch gathers the rows of one table. Keys within a batch are unique.
type Batch struct {
	table   *schema.Table
	decoder *decoder
	builder *array.RecordBuilder
	seed    maphash.Seed
	keys    map[uint64]uint64 // hash of the key to hash of the record
	keyed   []int             // columns of the key
	given   []int             // columns that come from the request
	timed   int               // column that dates a row
	kept    int64             // rows dated before it, in microseconds, are passed over
	scratch []byte
	rows    int
	bytes   int
	oldest  int64
	newest  int64
	rejects []schema.Reject
	policy  *Policy
	sealed  map[string]struct{} // ids of Built.Sealed, as sent
}

// NewBatch returns an empty batch, to whose rows the policy is applied; it may be nil.
// Release it when done.
func NewBatch(table *schema.Table, policy *Policy, allocator memory.Allocator) *Batch {
	b := &Batch{
		table: table, builder: array.NewRecordBuilder(allocator, table.BatchSchema()), decoder: newDecoder(table, policy),
		seed: maphash.MakeSeed(), keys: map[uint64]uint64{}, policy: policy, sealed: map[string]struct{}{}, kept: math.MinInt64,
	}
	for i, c := range b.decoder.columns {
		if slices.Contains(table.Key, c.Name) {
			b.keyed = append(b.keyed, i)
		}
		if c.Origin == schema.FromRequest {
			b.given = append(b.given, i)
		}
		if c.Name == table.Time {
			b.timed = i
		}
	}
	return b
}

// Release frees the batch's memory.
func (b *Batch) Release() {
	b.builder.Release()
	b.rows = 0
}

// DropBefore passes over rows that are dated before an instant; none if it is zero.
func (b *Batch) DropBefore(at time.Time) {
	if !at.IsZero() {
		b.kept = at.UnixMicro()
	}
}

// Rows is the number of rows gathered since the last Build.
func (b *Batch) Rows() int { return b.rows }

// Bytes is roughly the memory that these rows and the rejects take.
func (b *Batch) Bytes() int { return b.bytes }

// UnknownFields lists the fields met so far that no column has, sorted.
func (b *Batch) UnknownFields() []string {
	return slices.Sorted(maps.Keys(b.decoder.report))
}

// Add decodes a record and appends it.
func (b *Batch) Add(record []byte) Outcome { return b.add(record, nil) }

func (b *Batch) add(record []byte, more given) Outcome {
	if err := b.decoder.decode(record); err != nil {
		return b.reject(record, err)
	}
	return b.addDecoded(record, more)
}

// addDecoded appends what the decoder read of a record, and what is given.
func (b *Batch) addDecoded(record []byte, more given) Outcome {
	b.fill(more)
	if err := b.decoder.checkRequired(); err != nil {
		return b.reject(record, err)
	}
	if b.decoder.slots[b.timed].number < b.kept {
		return Expired
	}
	if b.decoder.withheld(b.timed) {
		return Withheld
	}
	b.decoder.reportUnknown()
	b.seal()
	b.decoder.treat()
	b.decoder.dropMentions()
	hash := b.hash(record)
	// Two keys of one hash are taken for a conflict, which loses nothing.
	key := maphash.Bytes(b.seed, b.values(b.keyed))
	if known, exists := b.keys[key]; exists {
		if known == hash {
			return Duplicate
		}
		return Conflict
	}
	b.keys[key] = hash
	b.append(len(record))
	return Added
}

func (b *Batch) reject(record []byte, err error) Outcome {
	if b.decoder.withheldReject(record) {
		return Withheld
	}
	raw := b.decoder.rawText(record)
	if m := b.decoder.treater.mentions; m != nil && !b.decoder.treater.again && m.in([]byte(raw)) {
		return Withheld
	}
	b.decoder.reportUnknown()
	b.rejects = append(b.rejects, schema.Reject{Reason: err.Error(), Raw: raw})
	b.bytes += len(record)
	return Rejected
}

func (b *Batch) fill(more given) {
	for _, i := range b.given {
		value, ok := more[b.decoder.columns[i].Name]
		if !ok {
			continue
		}
		s := slot{set: true}
		switch v := value.(type) {
		case string:
			start := len(b.decoder.scratch)
			b.decoder.scratch = append(b.decoder.scratch, v...)
			b.decoder.wrote(&s, start)
		case time.Time:
			s.number = v.UnixMicro()
		case bool:
			if v {
				s.number = 1
			}
		}
		b.decoder.slots[i] = s
	}
}

// hash distinguishes versions of a row: by the record, and by what the request
// adds to it. The same point in an open and in a closed bucket is not the same row.
func (b *Batch) hash(record []byte) uint64 {
	if len(b.given) == 0 {
		return maphash.Bytes(b.seed, record)
	}
	var h maphash.Hash
	h.SetSeed(b.seed)
	_, _ = h.Write(b.values(b.given))
	_, _ = h.Write(record)
	return h.Sum64()
}

// values writes the values of columns, each with its length, so that no two rows
// with different values look the same.
func (b *Batch) values(columns []int) []byte {
	b.scratch = b.scratch[:0]
	for _, i := range columns {
		s := &b.decoder.slots[i]
		if !s.set {
			b.scratch = append(b.scratch, 0)
			continue
		}
		text := b.decoder.text(s)
		b.scratch = binary.AppendUvarint(append(b.scratch, 1), uint64(len(text)))
		b.scratch = append(b.scratch, text...)
		b.scratch = binary.AppendVarint(b.scratch, s.number)
	}
	return b.scratch
}

func (b *Batch) append(size int) {
	for i := range b.decoder.slots {
		s := &b.decoder.slots[i]
		s.appendTo(b.builder.Field(i), b.decoder.text(s))
	}
	at := b.decoder.slots[b.timed].number
	if b.rows == 0 || at < b.oldest {
		b.oldest = at
	}
	if b.rows == 0 || at > b.newest {
		b.newest = at
	}
	b.rows++
	b.bytes += size
}

// Built is a batch on its way to the loader, and the rejects met on its way.
type Built struct {
	Table          *schema.Table
	Record         arrow.RecordBatch // schema Table.BatchSchema; nil if there are no rows
	Rows           int
	Oldest, Newest time.Time // bounds of the rows' time column, both inclusive
	Rejects        []schema.Reject
	// Sealed are the repositories that the policy hides, encrypted: statistics are requested
	// by their ids.
	Sealed []string
}

// Release frees the rows.
func (b *Built) Release() {
	if b.Record != nil {
		b.Record.Release()
		b.Record = nil
	}
}

// Build hands over what was gathered and empties the batch. The caller releases it.
func (b *Batch) Build() *Built {
	built := &Built{Table: b.table, Rows: b.rows, Rejects: b.rejects}
	if b.rows > 0 {
		built.Record = b.builder.NewRecordBatch()
		built.Oldest, built.Newest = time.UnixMicro(b.oldest).UTC(), time.UnixMicro(b.newest).UTC()
	}
	for id := range b.sealed {
		built.Sealed = append(built.Sealed, b.policy.Seal(id))
	}
	clear(b.sealed)
	clear(b.keys)
	b.rows, b.bytes, b.rejects = 0, 0, nil
	return built
}

// seal notes the ids that the policy hides and that later requests need.
func (b *Batch) seal() {
	for _, c := range b.decoder.treater.columns {
		if s := &b.decoder.slots[c.at]; c.sealed() && s.set && !b.decoder.treater.again {
			text := b.decoder.text(s)
			if _, known := b.sealed[string(text)]; !known && len(text) > 0 {
				b.sealed[string(text)] = struct{}{}
			}
		}
	}
}

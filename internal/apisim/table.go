package apisim

import (
	"cmp"
	"slices"
	"sort"
)

// record is a row in 24 bytes: what it refers to by number. There may be
// millions, so all else (id, sentence, conversation) is derived from seq when it is needed.
type record struct {
	at    int64  // microseconds since 1970
	seq   uint32 // number of the generated row, or place in table.custom
	model uint8
	flags uint8
	refs
}

// refs are places in the organisation's lists.
type refs struct{ policy, repo, user, key uint16 }

// The flags of a record. The two lowest bits are its severity; 0 means null.
const (
	severityBits = 3
	flagBlock    = 1 << 2
	flagNoTalk   = 1 << 3 // conversationId is null
	flagNoModel  = 1 << 4 // llmType, llmModel and host are absent
	flagCustom   = 1 << 7 // a row of a test's making, in table.custom
)

var severities = [...]string{"", "LOW", "MEDIUM", "HIGH"}

// table is one stream's records, oldest first. Of records that share a
// timestamp the one inserted last comes last, and is listed first.
type table struct {
	records []record
	custom  []*Row
	next    uint32 // number of rows ever generated
}

// from is the place of the first record at or after the microsecond.
func (t *table) from(at int64) int {
	return sort.Search(len(t.records), func(i int) bool { return t.records[i].at >= at })
}

// insert merges records in; recent ones cost little.
func (t *table) insert(batch []record) {
	if len(batch) == 0 {
		return
	}
	byTime := func(a, b record) int { return cmp.Compare(a.at, b.at) }
	slices.SortStableFunc(batch, byTime)
	newer := t.from(batch[0].at + 1)
	t.records = append(t.records, batch...)
	slices.SortStableFunc(t.records[newer:], byTime)
}

// keep stores a row of a test's making and returns its record.
func (t *table) keep(row *Row) record {
	t.custom = append(t.custom, row)
	return record{at: row.Timestamp.UnixMicro(), seq: uint32(len(t.custom) - 1), flags: flagCustom}
}

// Stream names one of the API's three kinds of data.
type Stream string

// The streams. Rows are kept for the first two; PolicyStats is computed from
// them and is only of use in [Fault.Stream].
const (
	Alerts      Stream = "alerts"
	Violations  Stream = "violations"
	PolicyStats Stream = "policy_stats"
)

// index is the stream's place in arrays with one entry for each kind of row.
func (s Stream) index() int {
	if s == Violations {
		return 1
	}
	return 0
}

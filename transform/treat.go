package transform

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"regexp"

	"github.com/flashback-sync/flashback-sync/schema"
	"github.com/flashback-sync/flashback-sync/transform/mask"
)

// treater applies a policy to the records of one table.
type treater struct {
	columns []treated
	extra   schema.Treatment // of unknown fields
	raw     schema.Treatment // of the text of rejects
	table   string
	hashes  *hashes // nil: there is no key
	hidden  Hidden
	ids     []treated // columns by which records are withheld

	mentions   *mentions // nil: no text is dropped
	mentioning []treated // columns whose texts may mention somebody
	// again: the records are stored ones. What looks like a hash or a pseudonym is one.
	again bool
}

// treated is a column that is not kept.
type treated struct {
	schema.Column
	at, of int // the column, and the one that it is the name of; the same if there is none
	with   schema.Treatment
}

// sealed reports whether later requests need the ids of the column, which it does not show.
func (c treated) sealed() bool {
	return c.Entity == schema.Repo && c.IDOf == "" && (c.with == schema.Hash || c.with == schema.Pseudonym)
}

func newTreater(table *schema.Table, columns []schema.Column, policy *Policy) *treater {
	t := &treater{table: table.Name, extra: schema.Keep, raw: schema.Keep}
	if policy == nil {
		return t
	}
	t.hidden, t.raw = policy.hidden, policy.Of(schema.RejectedRecords().Name, "raw")
	if policy.HasKey() {
		t.hashes = newHashes(policy)
	}
	at := map[string]int{}
	for i, c := range columns {
		at[c.Name] = i
	}
	place := func(c schema.Column) treated {
		return treated{c, at[c.Name], at[cmp.Or(c.IDOf, c.Name)], policy.Of(table.Name, c.Name)}
	}
	t.mentions = newMentions(policy)
	for _, c := range table.Mentioning() {
		t.mentioning = append(t.mentioning, place(c))
	}
	for _, column := range columns {
		c := place(column)
		if c.Origin == schema.Unknown {
			t.extra = c.with
		}
		if policy.hidden.Since[c.Entity] != nil && c.IDOf == "" {
			t.ids = append(t.ids, c)
		}
		if c.with != schema.Keep && c.Origin != schema.FromRequest { // the request is for what is stored
			t.columns = append(t.columns, c)
		}
	}
	return t
}

// cached bounds how many hashes are remembered: users and repositories are few.
const cached = 10_000

// hashes gives and remembers those of Policy.Hash.
type hashes struct {
	mac   hash.Hash
	known map[string]string
}

func newHashes(p *Policy) *hashes {
	return &hashes{hmac.New(sha256.New, p.secret), map[string]string{}}
}

func (h *hashes) of(value []byte) string {
	if known, ok := h.known[string(value)]; ok {
		return known
	}
	h.mac.Reset()
	h.mac.Write(value)
	sum := hex.EncodeToString(h.mac.Sum(nil))
	if len(h.known) >= cached {
		clear(h.known)
	}
	h.known[string(value)] = sum
	return sum
}

var (
	hashed     = regexp.MustCompile(`^[0-9a-f]{64}$`)
	pseudonyms = regexp.MustCompile(`^[a-z]+-[0-9a-f]{12}$`)
)

// value treats the text of a column. id is that of what the text names; nil if there is none.
func (t *treater) value(c treated, text, id []byte) []byte {
	switch {
	case len(text) == 0:
		return text
	case c.with == schema.Mask && c.Type == schema.JSON:
		masked, err := mask.JSON(text)
		if err != nil { // it was valid JSON before
			panic(err)
		}
		return masked
	case c.with == schema.Mask:
		return mask.Text(text)
	case t.again && (c.with == schema.Hash && hashed.Match(text) || c.with == schema.Pseudonym && pseudonyms.Match(text)):
		return text
	case c.with == schema.Hash:
		return []byte(t.hashes.of(text))
	case len(id) > 0 && t.again && pseudonyms.Match(id):
		return id
	case len(id) > 0 && t.again && hashed.Match(id):
		return []byte(pseudonym(c.Entity, string(id)))
	case len(id) > 0:
		text = id
	}
	return []byte(pseudonym(c.Entity, t.hashes.of(text)))
}

// treat replaces what may not be stored in the decoded record. Names are treated by the ids
// beside them, as the record has them.
func (d *decoder) treat() {
	if len(d.treater.columns) == 0 {
		return
	}
	before := d.before[:0]
	for _, c := range d.treater.columns {
		before = append(before, d.slots[c.of])
	}
	d.before = before
	for i, c := range d.treater.columns {
		s := &d.slots[c.at]
		switch {
		case !s.set:
		case c.with == schema.Drop:
			*s = slot{}
		default:
			var id []byte
			if c.of != c.at && before[i].set {
				id = d.text(&before[i])
			}
			start := len(d.scratch)
			d.scratch = append(d.scratch, d.treater.value(c, d.text(s), id)...)
			d.wrote(s, start)
		}
	}
}

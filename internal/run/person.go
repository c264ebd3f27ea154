package run

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/flashback-sync/flashback-sync/internal/erasure"
	"github.com/flashback-sync/flashback-sync/internal/forgotten"
	"github.com/flashback-sync/flashback-sync/load/erase"
	"github.com/flashback-sync/flashback-sync/load/lake"
	"github.com/flashback-sync/flashback-sync/schema"
	"github.com/flashback-sync/flashback-sync/transform"
)

// Person is who is forgotten or suppressed: a user or a conversation.
type Person struct {
	Entity string // schema.User or schema.Conversation
	ID     string
	// Names are further names to search for, beside those that the person's rows have.
	Names []string
	// KeepMentions leaves the texts of others as they are.
	KeepMentions bool
	// Suppress stops storing records, and erases nothing.
	Suppress bool
}

// Erased is what a Forget did or, as a dry run, would do.
type Erased struct {
	erase.Forgot
	Tombstone schema.Tombstone `json:"tombstone"`
	Names     int              `json:"names"`        // that are searched for
	Unsearch  []string         `json:"not_searched"` // what is not searched for in texts, and why
	Proof     *erasure.Proof   `json:"proof"`        // nil if nothing was erased
}

// ErrNoKey says that nobody can be forgotten without a privacy key.
var ErrNoKey = errors.New("forgetting needs a privacy key: the list of those who were forgotten has keyed hashes in place of their ids")

// Forget erases a person or a conversation, so that no run stores them again, and proves it.
// A dry run counts what would be erased, and changes nothing. Nothing is requested of the
// source.
func Forget(ctx context.Context, options Options, person Person) (*Erased, error) {
	switch {
	case strings.TrimSpace(person.ID) == "":
		return nil, errors.New("the id is empty")
	case !utf8.ValidString(person.ID):
		return nil, errors.New("the id is not UTF-8")
	case !options.Privacy.HasKey():
		return nil, ErrNoKey
	}
	options.forget = &person
	r := newRun(options, Source{})
	err := r.run(ctx)
	return &r.erased, err
}

// tombstone is that of the person of the options, and what the proof searches for.
func (r *run) tombstone(ctx context.Context) (schema.Tombstone, []erasure.Needle, error) {
	p, policy := r.options.forget, r.options.Privacy
	t := schema.Tombstone{Kind: p.Entity, Hash: policy.Hash(p.ID), KeyID: policy.KeyID(), At: r.options.Now().UTC().Truncate(time.Second)}
	if p.Suppress {
		t.Since = t.At
		return t, nil, nil
	}
	needles := []erasure.Needle{{Label: "the id", Text: p.ID}}
	for _, form := range storedForms(policy, p.Entity, p.ID) {
		needles = append(needles, erasure.Needle{Label: "the id as it was stored", Text: form, Exact: true})
	}
	names, err := r.names(ctx, t)
	if err != nil {
		return t, nil, err
	}
	for i, name := range names {
		needles = append(needles, erasure.Needle{Label: fmt.Sprintf("name %d", i+1), Text: name})
	}
	if p.KeepMentions {
		r.erased.Unsearch = append(r.erased.Unsearch, "texts of others are kept, as --keep-mentions says: only values that are the id are searched for")
		needles[0].Exact = true
		return t, slices.DeleteFunc(needles, func(n erasure.Needle) bool { return !n.Exact }), nil
	}
	for i := len(needles) - 1; i >= 0; i-- {
		n := &needles[i]
		if n.Exact {
			continue
		}
		if why := unsearchable(n.Text, i == 0); why != "" {
			r.erased.Unsearch = append(r.erased.Unsearch, n.Label+" is not looked for in texts: "+why)
			if i == 0 {
				n.Exact, n.Column = true, schema.Identifying(p.Entity)[0].Column.Name
			} else {
				needles = slices.Delete(needles, i, i+1)
			}
			continue
		}
		if m, ok := policy.Mention(n.Text); ok && !slices.Contains(t.Mentions, m) {
			t.Mentions = append(t.Mentions, m)
		}
	}
	return t, needles, nil
}

const (
	leastName   = 4 // characters of a name that is looked for in texts
	leastNumber = 6 // digits of an id that is a number
)

// unsearchable says why a text cannot be looked for in other texts; "" if it can.
func unsearchable(text string, id bool) string {
	words := transform.Words(text)
	switch length := utf8.RuneCountInString(strings.Join(words, "")); {
	case length == 0:
		return "it has no letter and no digit"
	case id && strings.Trim(text, "0123456789") == "" && length < leastNumber:
		return fmt.Sprintf("a number of less than %d digits is in many texts", leastNumber)
	case id && length < 2, !id && length < leastName:
		return "it is so short that many texts have it"
	case len(words) == 1 && slices.Contains(ownWords(), words[0]):
		return "it is a word that the program itself writes into its files"
	}
	return ""
}

// ownWords are in the manifest, in README.md of the lake, and in comments of columns.
func ownWords() []string {
	var own strings.Builder
	own.WriteString(lake.Readme())
	for _, t := range schema.Tables() {
		fmt.Fprintln(&own, t.Name, t.Doc)
		for _, c := range t.Columns {
			fmt.Fprintln(&own, c.Name, c.Doc, c.Privacy, c.Values)
		}
	}
	return transform.Words(own.String())
}

// names are those of the person's rows, and the given ones. One that rows of others have
// too is left out: a text that has it may mean them.
func (r *run) names(ctx context.Context, t schema.Tombstone) (names []string, err error) {
	var ids []erase.ErasedID
	hidden := r.options.Privacy.Hiding(transform.HiddenBy([]schema.Tombstone{t}))
	for _, c := range schema.Identifying(t.Kind) {
		ids = append(ids, erase.ErasedID{TableColumn: c, Erased: hidden.Erased(c)})
	}
	own, others, err := erase.Names(ctx, r.warehouse.Conn(), ids)
	if err != nil {
		return nil, err
	}
	shared := map[string]bool{}
	for _, name := range others {
		shared[normal(name)] = true
	}
	seen, treated := map[string]bool{}, false
	for _, name := range append(own, r.options.forget.Names...) {
		switch key := normal(name); {
		case seen[key]:
		case r.pseudonymous(t.Kind, name):
			treated = true
		case shared[key]:
			r.erased.Unsearch = append(r.erased.Unsearch, "a name is not looked for in texts: others have it, too")
			seen[key] = true
		default:
			names = append(names, name)
			seen[key] = true
		}
	}
	if treated && len(r.options.forget.Names) == 0 {
		r.erased.Unsearch = append(r.erased.Unsearch, "names are not stored as they are, and so are not known: give them to look for them in texts")
	}
	slices.Sort(names)
	r.erased.Names = len(names)
	return names, nil
}

func normal(name string) string { return strings.Join(transform.Words(name), " ") }

// pseudonymous reports whether names are stored in another form: texts do not have that.
func (r *run) pseudonymous(entity, name string) bool {
	for _, c := range schema.Identifying(entity) {
		for _, column := range c.Table.Columns {
			with := r.options.Privacy.Of(c.Table.Name, column.Name)
			if column.IDOf == c.Column.Name && (with == schema.Hash || with == schema.Pseudonym) && !slices.Contains(r.options.forget.Names, name) {
				return true
			}
		}
	}
	return false
}

// storedForms are what columns have in place of an id.
func storedForms(policy *transform.Policy, entity, id string) (forms []string) {
	for _, c := range schema.Identifying(entity) {
		if form := policy.Value(c, id); form != id && !slices.Contains(forms, form) {
			forms = append(forms, form)
		}
	}
	return forms
}

// enlist adds the person to the list, with what the proof needs, and so decides: whatever
// happens from now on, the erasure is completed.
func (r *run) enlist(ctx context.Context) error {
	t, needles, err := r.tombstone(ctx)
	if err != nil {
		return err
	}
	before := r.forgotten.Tombstones()
	r.forgotten.Add(t)
	e := r.forgotten.Find(t)
	if !r.options.forget.Suppress {
		e.ProvenAt = time.Time{}
		for _, n := range needles {
			sealed := forgotten.Sealed{Label: n.Label, Text: r.options.Privacy.Seal(n.Text), Exact: n.Exact, Column: n.Column}
			if !slices.ContainsFunc(e.Sealed, func(s forgotten.Sealed) bool { return s.Text == sealed.Text }) {
				e.Sealed = append(e.Sealed, sealed)
			}
		}
	}
	r.erased.Tombstone = e.Tombstone
	if r.options.forget.Suppress && slices.ContainsFunc(before, func(b schema.Tombstone) bool { return b.Covers(t) }) {
		return nil
	}
	r.options.Privacy = r.options.Privacy.Hiding(transform.HiddenBy(r.forgotten.Tombstones()))
	return r.writeForgotten()
}

// preview counts what a Forget would erase.
func (r *run) preview(ctx context.Context) error {
	t, _, err := r.tombstone(ctx)
	if err != nil || r.options.forget.Suppress {
		return err
	}
	r.erased.Tombstone = t
	hidden := r.options.Privacy.Hiding(transform.HiddenBy([]schema.Tombstone{t}))
	r.erased.Forgot, err = erase.Count(ctx, r.warehouse.Conn(), forgetting(hidden, nil))
	return err
}

package forgotten

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/flashback-sync/flashback-sync/internal/erasure"
	"github.com/flashback-sync/flashback-sync/load/duckdb"
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
	Forgot
	Tombstone schema.Tombstone `json:"tombstone"`
	Names     int              `json:"names"`        // that are searched for
	Unsearch  []string         `json:"not_searched"` // what is not searched for in texts, and why
	Proof     *erasure.Proof   `json:"proof"`        // nil if nothing was erased
}

// ErrNoKey says that nobody can be forgotten without a privacy key.
var ErrNoKey = errors.New("forgetting needs a privacy key: the list of those who were forgotten has keyed hashes in place of their ids")

// Validate refuses a person that nobody can be, and a policy without a key.
func (p Person) Validate(policy *transform.Policy) error {
	switch {
	case strings.TrimSpace(p.ID) == "":
		return errors.New("the id is empty")
	case !utf8.ValidString(p.ID):
		return errors.New("the id is not UTF-8")
	case !policy.HasKey():
		return ErrNoKey
	}
	return nil
}

// tombstone is that of the person, and what the proof searches for.
func (w *Eraser) tombstone(ctx context.Context) (schema.Tombstone, []erasure.Needle, error) {
	p, policy := w.Person, w.Policy
	t := schema.Tombstone{Kind: p.Entity, Hash: policy.Hash(p.ID), KeyID: policy.KeyID(), At: w.Now().UTC().Truncate(time.Second)}
	if p.Suppress {
		t.Since = t.At
		return t, nil, nil
	}
	needles := []erasure.Needle{{Label: "the id", Text: p.ID}}
	for _, form := range storedForms(policy, p.Entity, p.ID) {
		needles = append(needles, erasure.Needle{Label: "the id as it was stored", Text: form, Exact: true})
	}
	names, err := w.names(ctx, t)
	if err != nil {
		return t, nil, err
	}
	for i, name := range names {
		needles = append(needles, erasure.Needle{Label: fmt.Sprintf("name %d", i+1), Text: name})
	}
	if p.KeepMentions {
		w.Done.Unsearch = append(w.Done.Unsearch, "texts of others are kept, as --keep-mentions says: only values that are the id are searched for")
		needles[0].Exact = true
		return t, slices.DeleteFunc(needles, func(n erasure.Needle) bool { return !n.Exact }), nil
	}
	for i := len(needles) - 1; i >= 0; i-- {
		n := &needles[i]
		if n.Exact {
			continue
		}
		if why := unsearchable(n.Text, i == 0); why != "" {
			w.Done.Unsearch = append(w.Done.Unsearch, n.Label+" is not looked for in texts: "+why)
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
func (w *Eraser) names(ctx context.Context, t schema.Tombstone) (names []string, err error) {
	own, others, err := w.storedNames(ctx, t)
	if err != nil {
		return nil, err
	}
	shared := map[string]bool{}
	for _, name := range others {
		shared[normal(name)] = true
	}
	seen, treated := map[string]bool{}, false
	for _, name := range append(own, w.Person.Names...) {
		switch key := normal(name); {
		case seen[key]:
		case w.pseudonymous(t.Kind, name):
			treated = true
		case shared[key]:
			w.Done.Unsearch = append(w.Done.Unsearch, "a name is not looked for in texts: others have it, too")
			seen[key] = true
		default:
			names = append(names, name)
			seen[key] = true
		}
	}
	if treated && len(w.Person.Names) == 0 {
		w.Done.Unsearch = append(w.Done.Unsearch, "names are not stored as they are, and so are not known: give them to look for them in texts")
	}
	slices.Sort(names)
	w.Done.Names = len(names)
	return names, nil
}

// storedNames are the names that the rows of the person have, and those that others have.
func (w *Eraser) storedNames(ctx context.Context, t schema.Tombstone) (own, others []string, err error) {
	hidden := w.Policy.Hiding(transform.HiddenBy([]schema.Tombstone{t}))
	for _, id := range schema.Identifying(t.Kind) {
		erased := hidden.Erased(id)
		for _, c := range id.Table.Columns {
			if c.IDOf != id.Column.Name {
				continue
			}
			type named struct{ id, name string }
			rows, err := duckdb.ReadRows(ctx, w.Warehouse.Conn(), func(n *named) []any { return []any{&n.id, &n.name} },
				fmt.Sprintf("SELECT DISTINCT %[1]s, %[2]s FROM %[3]s WHERE %[1]s <> '' AND %[2]s <> ''",
					schema.Ident(id.Column.Name), schema.Ident(c.Name), schema.Ident(id.Table.Name)))
			if err != nil {
				return nil, nil, duckdb.Wrap("read warehouse", err)
			}
			for _, row := range rows {
				if erased(row.id) {
					own = append(own, row.name)
				} else {
					others = append(others, row.name)
				}
			}
		}
	}
	return own, others, nil
}

func normal(name string) string { return strings.Join(transform.Words(name), " ") }

// pseudonymous reports whether names are stored in another form: texts do not have that.
func (w *Eraser) pseudonymous(entity, name string) bool {
	for _, c := range schema.Identifying(entity) {
		for _, column := range c.Table.Columns {
			with := w.Policy.Of(c.Table.Name, column.Name)
			if column.IDOf == c.Column.Name && (with == schema.Hash || with == schema.Pseudonym) && !slices.Contains(w.Person.Names, name) {
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

package schema

// Entities that more than the privacy policy knows. The word begins a pseudonym.
const (
	User         = "user"
	Conversation = "conversation"
	Repo         = "repo"
)

// Treatment says what is stored of a column's values.
type Treatment string

const (
	// Keep stores a value as the source sent it.
	Keep Treatment = "keep"
	// Drop stores NULL.
	Drop Treatment = "drop"
	// Hash stores a keyed hash: the same for the same value, and not to be reversed
	// without the key.
	Hash Treatment = "hash"
	// Pseudonym stores a short, readable name made from the keyed hash.
	Pseudonym Treatment = "pseudonym"
	// Mask stores a text without card numbers, addresses, keys and the like.
	Mask Treatment = "mask"
)

// Treated says how a column is stored.
type Treated struct {
	Table     string    `json:"table"`
	Column    string    `json:"column"`
	Treatment Treatment `json:"treatment"`
	KeyID     string    `json:"key_id,omitempty"` // of hashes and pseudonyms; "" if there are none
}

// Preset is what a preset (none, names or strict) says of a column, by its class.
func Preset(name string, c Column) Treatment {
	switch {
	case name == "names" && c.Privacy == Personal:
		return Pseudonym
	case name == "strict" && c.Privacy == Personal:
		return Hash
	case name == "strict" && c.Privacy == Content:
		return Drop
	}
	return Keep
}

// TableColumn is a column of a table.
type TableColumn struct {
	*Table
	Column
}

// Path is how the configuration names the column: alerts.user_name.
func (c TableColumn) Path() string { return c.Table.Name + "." + c.Column.Name }

// Treatable lists the columns that a privacy policy can treat: what comes from the source,
// and the text of rejects. Derived tables follow from them.
func Treatable() (all []TableColumn) {
	for _, t := range treated() {
		for _, c := range t.Columns {
			if len(t.Treatments(c)) > 1 {
				all = append(all, TableColumn{t, c})
			}
		}
	}
	return all
}

func treated() (all []*Table) {
	for _, s := range Streams() {
		all = append(all, s.Tables()...)
	}
	return append(all, ByName(RejectedRecords().Name))
}

// Treatments are what can be stored of a column. Only texts can be treated, and what
// identifies a row must stay different for different rows.
func (t *Table) Treatments(c Column) []Treatment {
	switch {
	case t.Name == RejectedRecords().Name && c.Privacy == Content:
		return []Treatment{Keep, Drop, Mask}
	case c.Origin == Bookkeeping:
		return []Treatment{Keep}
	case c.Origin == Unknown:
		return []Treatment{Keep, Drop, Mask}
	case t.isKey(c.Name) && c.Type == Text && len(c.Values) == 0 && (c.Origin == FromRecord || c.Entity != ""):
		return []Treatment{Keep, Hash}
	case c.NotNull || t.isKey(c.Name) || c.Type != Text || len(c.Values) > 0:
		return []Treatment{Keep}
	case c.Entity != "":
		return []Treatment{Keep, Drop, Hash, Pseudonym, Mask}
	}
	return []Treatment{Keep, Drop, Hash, Mask}
}

package schema

import (
	"slices"
	"sync"
)

// Kind says how the API gives a stream.
type Kind int

const (
	// List streams are paged lists of events, newest first, with from and to.
	List Kind = iota
	// Series streams are time series over a window that ends now.
	Series
)

// Stream is one kind of data that the API gives. Everything that differs between
// streams is declared here; other packages loop over Streams and name none.
type Stream struct {
	Name     string   // in the configuration, the ledger, metrics and reports; for a List also the answer's field
	Endpoint string   // path below the base URL
	Table    *Table   // where its rows are stored
	Summary  *Table   // where the summaries of answers are stored; nil if it has none
	Kind     Kind     // how it is read
	Filters  []string // query parameters of the API that narrow it
	Time     string   // field of the API's record that dates a row
	Doc      string   // in the configuration
	Optional bool     // by default: not every environment of the API serves it
}

// Reject is a record that cannot be stored as a row.
type Reject struct {
	Reason string
	Raw    string // the record, as valid UTF-8
}

// Tables are those with rows of the stream.
func (s *Stream) Tables() []*Table {
	if s.Summary == nil {
		return []*Table{s.Table}
	}
	return []*Table{s.Table, s.Summary}
}

// Rated reports whether the events of a stream have a severity, and may be blocked.
func (s *Stream) Rated() bool {
	_, rated := s.Table.Column("severity")
	return rated
}

// Streams returns every stream, in the order a run reads them. They are shared,
// and not to be changed.
func Streams() []*Stream { return slices.Clone(streams()) }

var streams = sync.OnceValue(func() []*Stream {
	return []*Stream{
		{
			Name: "alerts", Endpoint: "/policy/alerts", Table: ByName("alerts"), Kind: List, Time: "timestamp", Doc: "alerts",
			Filters: []string{"workspaceId", "repoId", "policyId", "llmType", "llmModel", "host"},
		},
		{
			Name: "violations", Endpoint: "/policy/violations", Table: ByName("violations"), Kind: List, Time: "timestamp",
			Doc: "violations; not every environment of the API serves them", Optional: true,
			Filters: []string{"workspaceId", "repoId", "policyId", "llmType", "llmModel", "host", "severity", "block"},
		},
		{
			Name: "policy_stats", Endpoint: "/v2/stats/policies", Table: ByName("policy_stats"), Summary: ByName("policy_stats_summary"), Kind: Series, Time: "ts", Doc: "policy statistics",
			Filters: []string{"scope", "id", "window", "timeBucketSize", "ruleId", "apiKeyId"},
		},
	}
})

// StreamByName finds a stream, or nil.
func StreamByName(name string) *Stream {
	return findStream(func(s *Stream) bool { return s.Name == name })
}

// streamOf finds the stream whose rows a table has, or nil.
func streamOf(table string) *Stream {
	return findStream(func(s *Stream) bool { return s.Table.Name == table })
}

func findStream(fits func(*Stream) bool) *Stream {
	if i := slices.IndexFunc(streams(), fits); i >= 0 {
		return streams()[i]
	}
	return nil
}

// IsSeries reports whether the stream of this name has points of statistics, not rows of a list.
func IsSeries(name string) bool {
	s := StreamByName(name)
	return s != nil && s.Kind == Series
}

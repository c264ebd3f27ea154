package apisim

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

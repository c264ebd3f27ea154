package apisim

import (
	"net/http"
	"slices"
	"sync"
)

// FaultKind is what goes wrong.
type FaultKind string

// The kinds. Those that cut an answer cut the one that the request would have had.
const (
	// FaultStatus answers with Status, Header and Body.
	FaultStatus FaultKind = "status"
	// FaultReset resets the connection after AfterBytes of the answer's body.
	FaultReset FaultKind = "reset"
	// FaultTruncate closes it there in an orderly way, short of Content-Length.
	FaultTruncate FaultKind = "truncate"
	// FaultHang sends nothing more from there on, until the client leaves.
	FaultHang FaultKind = "hang"
)

// Fault is a rule: which requests it hits, and what they get. Zero fields do not
// restrict. The first rule that is due wins.
type Fault struct {
	Kind FaultKind

	// Stream and Match select requests.
	Stream Stream
	Match  func(*http.Request) bool
	// From is the number of the first selected request that is hit, from 1;
	// Every hits only each nth from there; Probability only a share of those, by
	// the seed; and Count ends the rule after so many hits.
	From, Count, Every int
	Probability        float64

	Status int         // 0 means 500
	Header http.Header // added to the endpoint's own
	Body   string      // "" means that of a documented refusal
	// AfterBytes is where a body breaks off: 0 means half-way, and a negative
	// number before the headers.
	AfterBytes int
}

// rule is a fault and its history.
type rule struct {
	Fault
	number     uint64
	seen, hits int
}

type faultList struct {
	mu     sync.Mutex
	rules  []*rule
	number uint64
}

// Inject adds a rule; remove takes it away again.
func (s *Sim) Inject(f Fault) (remove func()) {
	l := &s.faults
	l.mu.Lock()
	defer l.mu.Unlock()
	l.number++
	added := &rule{Fault: f, number: l.number}
	l.rules = append(l.rules, added)
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.rules = slices.DeleteFunc(l.rules, func(r *rule) bool { return r == added })
	}
}

// ClearFaults removes all rules.
func (s *Sim) ClearFaults() {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.rules = nil
}

// pick is the fault that hits the request, or nil. Every rule that selects the
// request counts it, also when another one hits.
func (l *faultList) pick(seed uint64, r *http.Request, stream Stream) (hit *Fault) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, rule := range l.rules {
		if !rule.selects(r, stream) {
			continue
		}
		rule.seen++
		if hit != nil || !rule.due(seed) {
			continue
		}
		rule.hits++
		chosen := rule.Fault
		hit = &chosen
	}
	return hit
}

func (f *rule) selects(r *http.Request, stream Stream) bool {
	return (f.Stream == "" || f.Stream == stream) &&
		(f.Match == nil || f.Match(r))
}

func (f *rule) due(seed uint64) bool {
	first := max(1, f.From)
	if f.seen < first || (f.Count > 0 && f.hits >= f.Count) {
		return false
	}
	if f.Every > 1 && (f.seen-first)%f.Every != 0 {
		return false
	}
	d := newDice(seed, purposeFault+f.number<<8, uint64(f.seen))
	return f.Probability == 0 || d.float() < f.Probability
}

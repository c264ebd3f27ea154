package apisim

import (
	"net/http"
	"net/url"
	"sync"
)

// Request is what the server remembers of one. It has no credentials.
type Request struct {
	Path   string // escaped, as it was sent
	Query  url.Values
	Stream Stream // "" for a path that is no endpoint
	// Unknown names the query parameters that mean nothing to the endpoint.
	Unknown []string
	// Status is 0 while no answer was begun, and for faults that send none.
	Status int
}

type requestLog struct {
	off     bool
	mu      sync.Mutex
	entries []*Request
}

func (l *requestLog) begin(r *http.Request, target route, known bool) *Request {
	if l.off {
		return nil
	}
	values := r.URL.Query()
	entry := &Request{Path: r.URL.EscapedPath(), Query: values, Stream: target.stream}
	if known {
		entry.Unknown = unknownParameters(target, values)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.entries = append(l.entries, entry)
	return entry
}

// set is called before the first byte is sent, so that a client that has its
// answer finds the entry complete.
func (l *requestLog) set(entry *Request, status int) {
	if entry == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	entry.Status = status
}

// Requests returns what was requested since the last reset, in the order of arrival.
// The maps and slices in it are shared: do not change them.
func (s *Sim) Requests() []Request {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	out := make([]Request, len(s.log.entries))
	for i, entry := range s.log.entries {
		out[i] = *entry
	}
	return out
}

// ResetRequests empties the log; running numbers go on.
func (s *Sim) ResetRequests() {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	s.log.entries = nil
}

// RequestCount is the number of requests ever received, also without a log.
func (s *Sim) RequestCount() int { return int(s.requests.Load()) }

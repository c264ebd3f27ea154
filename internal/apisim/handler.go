package apisim

import (
	"fmt"
	"html"
	"math"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"
)

// route is an endpoint that a path names.
type route struct {
	stream   Stream
	byPolicy bool
	policyID string
}

var listPath = regexp.MustCompile(`^/policy/(?:([^/]+)/)?(alerts|violations)$`)

// routeOf finds the endpoint. Paths are taken literally: nothing is cleaned or
// redirected, and an escaped slash stays part of its segment.
func routeOf(u *url.URL) (route, bool) {
	if u.EscapedPath() == "/v2/stats/policies" {
		return route{stream: PolicyStats}, true
	}
	found := listPath.FindStringSubmatch(u.EscapedPath())
	if found == nil {
		return route{}, false
	}
	id, err := url.PathUnescape(found[1])
	return route{stream: Stream(found[2]), byPolicy: id != "", policyID: id}, err == nil
}

// Handler serves the endpoints.
func (s *Sim) Handler() http.Handler { return http.HandlerFunc(s.serve) }

func (s *Sim) serve(w http.ResponseWriter, r *http.Request) {
	n := int(s.requests.Add(1))
	target, known := routeOf(r.URL)
	entry := s.log.begin(r, target, known)
	s.callHook(r, n)
	m := s.Semantics()
	d := newDice(s.options.Seed, purposeRequest, uint64(n))
	s.dateHeader(w.Header(), &m)
	if m.Latency > 0 && !wait(r, time.Duration(min(10, -math.Log(1-d.float()))*float64(m.Latency))) {
		return
	}
	fault := s.faults.pick(s.options.Seed, r, target.stream)
	if fault != nil && fault.replaces() {
		s.log.set(entry, fault.status())
		fault.replace(w, r, target.stream)
		return
	}
	body, status := s.answer(w.Header(), target, known, r, &m, &d)
	s.log.set(entry, status)
	if fault != nil {
		fault.spoil(w, r, status, body)
		return
	}
	s.respond(w, r, status, body)
}

// answer is what a server in good health says.
func (s *Sim) answer(header http.Header, target route, known bool, r *http.Request, m *Semantics, d *dice) ([]byte, int) {
	header.Set("Content-Type", jsonType)
	switch {
	case !known, target.stream == Violations && m.NoViolations: // as a common web framework says it
		header.Set("Content-Type", "text/html; charset=utf-8")
		return fmt.Appendf(nil, "<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>Error</title></head>\n"+
			"<body><pre>Cannot %s %s</pre></body>\n</html>\n", r.Method, html.EscapeString(r.URL.EscapedPath())), http.StatusNotFound
	case !s.authorised(r):
		return errorBody(target.stream, "Unauthorized"), http.StatusUnauthorized
	case r.Method != http.MethodGet:
		header.Set("Allow", http.MethodGet)
		return errorBody(target.stream, "Method not allowed"), http.StatusMethodNotAllowed
	case target.stream == PolicyStats:
		return s.answerStats(r)
	default:
		return s.answerList(target, r, d)
	}
}

func (s *Sim) authorised(r *http.Request) bool {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok || token == "" {
		return false
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.token == "" || token == s.token
}

func (s *Sim) callHook(r *http.Request, n int) {
	s.hook.Lock()
	defer s.hook.Unlock()
	if s.hook.call != nil {
		s.hook.call(r, n)
	}
}

// dateHeader sets the simulated time, or keeps net/http from setting the real one.
func (s *Sim) dateHeader(header http.Header, m *Semantics) {
	if m.NoDate {
		header["Date"] = nil
		return
	}
	header.Set("Date", s.Now().Add(m.DateSkew).Format(http.TimeFormat))
}

// wait returns false if the client left meanwhile.
func wait(r *http.Request, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-r.Context().Done():
		return false
	}
}

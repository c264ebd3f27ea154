package apisim

import (
	"cmp"
	"maps"
	"net/http"
	"strconv"
)

// replaces reports whether the answer does not depend on what was requested.
func (f *Fault) replaces() bool { return f.Kind == FaultStatus || f.AfterBytes < 0 }

// status is what a replaced answer has; 0 if there is none.
func (f *Fault) status() int {
	if f.Kind != FaultStatus {
		return 0
	}
	return cmp.Or(f.Status, http.StatusInternalServerError)
}

// replace answers without looking at what was requested.
func (f *Fault) replace(w http.ResponseWriter, r *http.Request, stream Stream) {
	if f.Kind != FaultStatus {
		f.abandon(r)
	}
	w.Header().Set("Content-Type", jsonType)
	maps.Copy(w.Header(), f.Header)
	body := []byte(f.Body)
	if f.Body == "" {
		body = errorBody(stream, http.StatusText(f.status()))
	}
	send(w, f.status(), body)
}

// spoil sends the beginning of the answer that was made.
func (f *Fault) spoil(w http.ResponseWriter, r *http.Request, status int, body []byte) {
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body[:min(cmp.Or(f.AfterBytes, len(body)/2), len(body)-1)]) //nolint:gosec // for no browser
	_ = http.NewResponseController(w).Flush()
	f.abandon(r)
}

// abandon drops the connection as the fault says. It does not return.
func (f *Fault) abandon(r *http.Request) {
	switch f.Kind {
	case FaultHang:
		<-r.Context().Done()
	case FaultReset:
		lingerZero(r)
	}
	panic(http.ErrAbortHandler) // net/http drops the connection, without a log line
}

// lingerZero makes closing the request's connection a reset. Without Serve the
// connection is not known, and it is closed in an orderly way.
func lingerZero(r *http.Request) {
	if conn, ok := r.Context().Value(connKey{}).(interface{ SetLinger(int) error }); ok {
		_ = conn.SetLinger(0)
	}
}

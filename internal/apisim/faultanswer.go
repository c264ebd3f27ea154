package apisim

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"maps"
	"net/http"
	"strconv"
	"time"
)

// replaces reports whether the answer does not depend on what was requested.
func (f *Fault) replaces() bool {
	switch f.Kind {
	case FaultSlow:
		return false
	case FaultReset, FaultTruncate, FaultHang:
		return f.AfterBytes < 0
	default:
		return true
	}
}

// status is what a replaced answer has.
func (f *Fault) status() int {
	switch f.Kind {
	case FaultReset, FaultTruncate, FaultHang:
		return 0
	case FaultStatus:
		return cmp.Or(f.Status, http.StatusInternalServerError)
	default:
		return http.StatusOK
	}
}

// replace answers without looking at what was requested.
func (f *Fault) replace(w http.ResponseWriter, r *http.Request, stream Stream) {
	w.Header().Set("Content-Type", jsonType)
	switch f.Kind {
	case FaultStatus:
		body := []byte(f.Body)
		if f.Body == "" {
			body = errorBody(stream, http.StatusText(f.status()))
		}
		maps.Copy(w.Header(), f.Header)
		send(w, f.status(), body)
	case FaultEndless:
		for r.Context().Err() == nil {
			if _, err := w.Write(blanks()); err != nil {
				return
			}
		}
	case FaultGzipBomb:
		gzipBomb(w, f.Size)
	default:
		abandon(r, f)
	}
}

// spoil sends the answer that was made, but not as it should be.
func (f *Fault) spoil(w http.ResponseWriter, r *http.Request, status int, body []byte) {
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	if f.Kind == FaultSlow {
		slow(w, r, body, f)
		return
	}
	_, _ = w.Write(body[:min(cmp.Or(f.AfterBytes, len(body)/2), len(body)-1)]) //nolint:gosec // for no browser
	flush(w)
	abandon(r, f)
}

// abandon drops the connection as the fault says. It does not return.
func abandon(r *http.Request, f *Fault) {
	switch f.Kind {
	case FaultHang:
		<-r.Context().Done()
	case FaultReset:
		lingerZero(r)
	}
	panic(http.ErrAbortHandler) // net/http drops the connection, without a log line
}

func flush(w http.ResponseWriter) { _ = http.NewResponseController(w).Flush() }

// lingerZero makes closing the request's connection a reset. Without Serve the
// connection is not known, and it is closed in an orderly way.
func lingerZero(r *http.Request) {
	if conn, ok := r.Context().Value(connKey{}).(interface{ SetLinger(int) error }); ok {
		_ = conn.SetLinger(0)
	}
}

func slow(w http.ResponseWriter, r *http.Request, body []byte, f *Fault) {
	size := max(1, f.ChunkBytes)
	for len(body) > 0 && wait(r, max(f.Delay, time.Nanosecond)) {
		n := min(size, len(body))
		if _, err := w.Write(body[:n]); err != nil { //nolint:gosec // for no browser
			return
		}
		flush(w)
		body = body[n:]
	}
}

// blanks are a mebibyte of valid JSON that means nothing.
func blanks() []byte { return bytes.Repeat([]byte(" "), 1<<20) }

// gzipBomb sends blanks as members of one gzip stream.
func gzipBomb(w http.ResponseWriter, size int64) {
	var member bytes.Buffer
	z := gzip.NewWriter(&member)
	_, _ = z.Write(blanks()) // a buffer never fails
	_ = z.Close()
	w.Header().Set("Content-Encoding", "gzip")
	for range size >> 20 {
		if _, err := w.Write(member.Bytes()); err != nil {
			return
		}
	}
}

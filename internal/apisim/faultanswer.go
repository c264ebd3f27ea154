package apisim

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"fmt"
	"maps"
	"net"
	"net/http"
	"strconv"
	"time"
)

// replaces reports whether the answer does not depend on what was requested.
func (f *Fault) replaces() bool {
	switch f.Kind {
	case FaultSlow, FaultBadJSON, FaultRewrite:
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
	case FaultUnauthorized:
		return http.StatusUnauthorized
	case FaultForbidden:
		return http.StatusForbidden
	case FaultRedirect:
		return cmp.Or(f.Status, http.StatusFound)
	case FaultStatus:
		return cmp.Or(f.Status, http.StatusInternalServerError)
	default:
		return http.StatusOK
	}
}

const proxyPage = `<!DOCTYPE html>
<html><head><title>502 Bad Gateway</title></head>
<body><center><h1>502 Bad Gateway</h1></center><hr><center>nginx</center></body></html>
`

// replace answers without looking at what was requested.
func (s *Sim) replace(w http.ResponseWriter, r *http.Request, target route, f *Fault) {
	header := w.Header()
	header.Set("Content-Type", "application/json; charset=utf-8")
	body := []byte(f.Body)
	switch f.Kind {
	case FaultReset, FaultTruncate, FaultHang:
		abandon(r, f)
	case FaultEndless:
		s.endless(w, r, target.stream, f)
		return
	case FaultGzipBomb:
		gzipBomb(w, f)
		return
	case FaultHTML:
		header.Set("Content-Type", "text/html; charset=utf-8")
		body = []byte(cmp.Or(f.Body, proxyPage))
	case FaultRedirect:
		header.Set("Location", cmp.Or(f.Location, nextPort(r)))
	default:
		if f.Kind == FaultNotSuccess || f.Body == "" {
			body = errorBody(target.stream, cmp.Or(f.Body, http.StatusText(f.status())))
		}
	}
	maps.Copy(header, f.Header)
	header.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(f.status())
	_, _ = w.Write(body)
}

// nextPort is the request's own address on another port of the same host.
func nextPort(r *http.Request) string {
	host, port, err := net.SplitHostPort(r.Host)
	if err != nil {
		host, port = r.Host, "80"
	}
	number, _ := strconv.Atoi(port)
	return "http://" + net.JoinHostPort(host, strconv.Itoa(number%65535+1)) + r.URL.RequestURI()
}

// spoil sends the answer that was made, but not as it should be.
func (s *Sim) spoil(w http.ResponseWriter, r *http.Request, status int, body []byte, f *Fault) {
	maps.Copy(w.Header(), f.Header)
	switch f.Kind {
	case FaultBadJSON:
		s.respond(w, r, status, body[:len(body)*2/3])
		return
	case FaultRewrite:
		if f.Rewrite != nil {
			body = f.Rewrite(append([]byte{}, body...))
		}
		s.respond(w, r, status, body)
		return
	}
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

// endless sends valid rows, over and over, until the client leaves.
func (s *Sim) endless(w http.ResponseWriter, r *http.Request, stream Stream, f *Fault) {
	if _, err := fmt.Fprintf(w, `{"success":true,%q:[`, stream); err != nil {
		return
	}
	row := s.NewRow(stream, s.Now(), 0)
	piece := append(row.appendJSON(nil, stream, MillisecondDigits), ',')
	for len(piece) < f.ChunkBytes {
		piece = append(piece, piece...)
	}
	for r.Context().Err() == nil {
		if _, err := w.Write(piece); err != nil {
			return
		}
	}
}

// gzipBomb sends blanks by the mebibyte as members of one gzip stream.
func gzipBomb(w http.ResponseWriter, f *Fault) {
	const mebibyte = 1 << 20
	var member bytes.Buffer
	z, _ := gzip.NewWriterLevel(&member, gzip.BestCompression) // the level is a valid one
	_, _ = z.Write(bytes.Repeat([]byte(" "), mebibyte))        // a buffer never fails
	_ = z.Close()
	w.Header().Set("Content-Encoding", "gzip")
	for range (cmp.Or(f.Size, 1<<30) + mebibyte - 1) / mebibyte {
		if _, err := w.Write(member.Bytes()); err != nil {
			return
		}
	}
}

package apisim

import (
	"compress/gzip"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"
)

// replaces tells whether the answer does not depend on what was asked.
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
		return orElse(f.Status, http.StatusFound)
	case FaultStatus:
		return orElse(f.Status, http.StatusInternalServerError)
	default:
		return http.StatusOK
	}
}

func orElse[T comparable](value, otherwise T) T {
	var zero T
	if value == zero {
		return otherwise
	}
	return value
}

const proxyPage = `<!DOCTYPE html>
<html><head><title>502 Bad Gateway</title></head>
<body><center><h1>502 Bad Gateway</h1></center><hr><center>nginx</center></body></html>
`

// replace answers without looking at what was asked.
func (s *Sim) replace(w http.ResponseWriter, r *http.Request, target route, f *Fault) {
	header := w.Header()
	header.Set("Content-Type", "application/json; charset=utf-8")
	body := []byte(f.Body)
	switch f.Kind {
	case FaultReset, FaultTruncate, FaultHang:
		abandon(r, f)
	case FaultEndless:
		copyHeader(header, f.Header)
		s.endless(w, r, target.stream, f)
		return
	case FaultGzipBomb:
		copyHeader(header, f.Header)
		gzipBomb(w, f)
		return
	case FaultHTML:
		header.Set("Content-Type", "text/html; charset=utf-8")
		body = []byte(orElse(f.Body, proxyPage))
	case FaultRedirect:
		header.Set("Location", orElse(f.Location, nextPort(r)))
	case FaultNotSuccess:
		body = appendError(nil, target.stream, orElse(f.Body, "Failed to fetch policy "+string(target.stream)))
	default: // a status
		if f.Body == "" {
			body = appendError(nil, target.stream, http.StatusText(f.status()))
		}
	}
	copyHeader(header, f.Header)
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
	copyHeader(w.Header(), f.Header)
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
	_, _ = w.Write(body[:min(orElse(f.AfterBytes, len(body)/2), len(body)-1)])
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
	panic(http.ErrAbortHandler) // how net/http is told to, without a log line
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
		if _, err := w.Write(body[:n]); err != nil {
			return
		}
		flush(w)
		body = body[n:]
	}
}

// endless sends valid rows, over and over, until the client leaves.
func (s *Sim) endless(w http.ResponseWriter, r *http.Request, stream Stream, f *Fault) {
	name := orElse(map[Stream]string{PolicyStats: "series"}[stream], string(stream))
	if _, err := io.WriteString(w, `{"success":true,"`+name+`":[`); err != nil {
		return
	}
	row := s.NewRow(stream, s.Now(), 0)
	piece := append(row.appendJSON(nil, stream, &Semantics{}), ',')
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
	blanks := make([]byte, mebibyte)
	for i := range blanks {
		blanks[i] = ' '
	}
	z, _ := gzip.NewWriterLevel(nil, gzip.BestCompression) // the level is a valid one
	member := appendWith(z, nil, blanks)
	w.Header().Set("Content-Encoding", "gzip")
	for range (orElse(f.Size, 1<<30) + mebibyte - 1) / mebibyte {
		if _, err := w.Write(member); err != nil {
			return
		}
	}
}

package apisim

import (
	"compress/gzip"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

// respond sends a whole body, compressed if the client takes it and it is worth it.
func (s *Sim) respond(w http.ResponseWriter, r *http.Request, status int, body []byte) {
	const worth = 1024
	if s.options.NoGzip || len(body) < worth || !acceptsGzip(r) {
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		w.WriteHeader(status)
		_, _ = w.Write(body) // a client that left is no error of the server
		return
	}
	packed := bodies.get()
	defer bodies.put(packed)
	*packed = appendGzip(*packed, body)
	w.Header().Set("Content-Encoding", "gzip")
	w.Header().Set("Vary", "Accept-Encoding")
	w.Header().Set("Content-Length", strconv.Itoa(len(*packed)))
	w.WriteHeader(status)
	_, _ = w.Write(*packed)
}

func acceptsGzip(r *http.Request) bool {
	for part := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		name, quality, _ := strings.Cut(strings.TrimSpace(part), ";")
		if strings.EqualFold(name, "gzip") && strings.TrimSpace(quality) != "q=0" {
			return true
		}
	}
	return false
}

// compressors only code symbols and look for no repetitions: on the loopback
// interface time is dearer than bytes.
var compressors = sync.Pool{New: func() any {
	z, _ := gzip.NewWriterLevel(nil, gzip.HuffmanOnly) // the level is a valid one
	return z
}}

type appender struct{ b []byte }

func (a *appender) Write(p []byte) (int, error) {
	a.b = append(a.b, p...)
	return len(p), nil
}

func appendGzip(b, body []byte) []byte {
	z := compressors.Get().(*gzip.Writer)
	defer compressors.Put(z)
	return appendWith(z, b, body)
}

func appendWith(z *gzip.Writer, b, body []byte) []byte {
	out := &appender{b: b}
	z.Reset(out)
	_, _ = z.Write(body) // an appender never fails
	_ = z.Close()
	return out.b
}

// bufferPool lends byte slices, so that an answer's cost is its rows and not its memory.
type bufferPool struct{ pool sync.Pool }

var bodies bufferPool

func (p *bufferPool) get() *[]byte {
	if b, ok := p.pool.Get().(*[]byte); ok {
		*b = (*b)[:0]
		return b
	}
	b := make([]byte, 0, 64<<10)
	return &b
}

func (p *bufferPool) put(b *[]byte) {
	const keep = 4 << 20 // what a rare huge row needed is given back
	if cap(*b) <= keep {
		p.pool.Put(b)
	}
}

func copyHeader(to, from http.Header) {
	for name, values := range from {
		to[http.CanonicalHeaderKey(name)] = values
	}
}

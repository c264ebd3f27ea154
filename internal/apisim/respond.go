package apisim

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

const jsonType = "application/json; charset=utf-8"

// respond sends a whole body, compressed if the client takes it and it is worth it.
func (s *Sim) respond(w http.ResponseWriter, r *http.Request, status int, body []byte) {
	const worth = 1024
	if !s.options.NoGzip && len(body) >= worth && strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		body = compressed(body)
		w.Header().Set("Content-Encoding", "gzip")
		w.Header().Set("Vary", "Accept-Encoding")
	}
	send(w, status, body)
}

func send(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) //nolint:gosec // for no browser; a client that left is no error of the server
}

// compressors only code symbols and look for no repetitions: on the loopback
// interface time is dearer than bytes.
var compressors = sync.Pool{New: func() any {
	z, _ := gzip.NewWriterLevel(nil, gzip.HuffmanOnly) // the level is a valid one
	return z
}}

func compressed(body []byte) []byte {
	z := compressors.Get().(*gzip.Writer)
	defer compressors.Put(z)
	var out bytes.Buffer
	z.Reset(&out)
	_, _ = z.Write(body) // a buffer never fails
	_ = z.Close()
	return out.Bytes()
}

// errorBody is the documented body of a refusal.
func errorBody(stream Stream, message string) []byte {
	if stream != Alerts && stream != Violations {
		return fmt.Appendf(nil, `{"success":false,"message":%s}`, marshal(message))
	}
	return fmt.Appendf(nil, `{"success":false,%q:[],"total":0,"skip":0,"take":0,"message":%s}`, stream, marshal(message))
}

func marshal(value any) []byte {
	b, err := json.Marshal(value)
	if err != nil { // numbers and valid text always marshal
		panic(err)
	}
	return b
}

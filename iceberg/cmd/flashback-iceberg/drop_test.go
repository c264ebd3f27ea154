package main

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
)

// dropping is the address of a proxy in front of a REST catalog that loses the answer to every
// third request that changes something: half of these after, half before the catalog had it.
func dropping(t *testing.T, catalog string) string {
	t.Helper()
	target, err := url.Parse(strings.TrimPrefix(catalog, "rest+"))
	must(t, err)
	proxy := httputil.NewSingleHostReverseProxy(target)
	var requests atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := requests.Add(1)
		if r.Method != http.MethodPost || n%3 != 0 {
			proxy.ServeHTTP(w, r)
			return
		}
		if n%2 == 0 {
			proxy.ServeHTTP(httptest.NewRecorder(), r)
		}
		panic(http.ErrAbortHandler) // the connection is closed
	}))
	t.Cleanup(server.Close)
	return "rest+" + server.URL
}

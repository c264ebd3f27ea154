package api

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/flashback-sync/flashback-sync/internal/apisim"
)

func TestTokenIsRefreshedOnce(t *testing.T) {
	sim := apisim.New(apisim.Options{Now: noon, Token: "second"})
	var calls atomic.Int32
	client := dial(t, sim, connections(8), func(o *Options) {
		o.Token = func(context.Context) (string, error) {
			if calls.Add(1) == 1 {
				return "secret", nil
			}
			return "second", nil
		}
	})
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			if err := peekAt(client); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if calls.Load() != 2 {
		t.Errorf("%d calls", calls.Load())
	}
	sim.SetToken("third")
	before := sim.RequestCount()
	wantKind(t, peekAt(client), Unauthorized)
	if sim.RequestCount() != before+1 || calls.Load() != 3 {
		t.Errorf("%d requests, %d calls", sim.RequestCount()-before, calls.Load())
	}
}

func TestTokensThatCannotBeSent(t *testing.T) {
	sim := apisim.New(apisim.Options{Now: noon})
	for _, token := range []string{"", "secret\n", "secret\r\nX: y"} {
		client := dial(t, sim, func(o *Options) { o.Token = func(context.Context) (string, error) { return token, nil } })
		wantKind(t, peekAt(client), Unauthorized)
	}
	client := dial(t, sim, func(o *Options) {
		o.Token = func(context.Context) (string, error) { return "", errors.New("no such file") }
	})
	wantKind(t, peekAt(client), Unauthorized)
	if sim.RequestCount() != 0 {
		t.Errorf("%d requests", sim.RequestCount())
	}
}

func TestTokenStaysAtTheBaseURL(t *testing.T) {
	var stolen atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { stolen.Add(1) }))
	defer other.Close()
	sim := apisim.New(apisim.Options{Now: noon})
	for _, status := range []int{301, 302, 303, 307, 308} {
		sim.ClearFaults()
		sim.Inject(apisim.Fault{Kind: apisim.FaultStatus, Status: status, Header: http.Header{"Location": {other.URL + "/policy/alerts"}}})
		wantKind(t, peekAt(dial(t, sim)), OffContract)
	}
	if stolen.Load() != 0 {
		t.Error("a redirect was followed")
	}
}

// requestMany sends so many requests by so many workers, and returns one of the failures.
func requestMany(client *Client, workers, each int) error {
	var group sync.WaitGroup
	failures := make(chan error, workers)
	for range workers {
		group.Go(func() {
			for range each {
				if err := peekAt(client); err != nil {
					failures <- err
					return
				}
			}
		})
	}
	group.Wait()
	close(failures)
	return <-failures
}

// TestRefusedInMidRun: the source of tokens is used once more for each token that
// was refused, whatever it says, and by however many workers.
func TestRefusedInMidRun(t *testing.T) {
	for _, c := range []struct {
		name  string
		fresh func() (string, error)
		fails bool
	}{
		{"another", func() (string, error) { return "second", nil }, false},
		{"the same", func() (string, error) { return "secret", nil }, true},
		{"a wrong one", func() (string, error) { return "wrong secret", nil }, true},
		{"none", func() (string, error) { return "", nil }, true},
		{"not one to send", func() (string, error) { return "second\n", nil }, true},
		{"a failure", func() (string, error) { return "", errors.New("no such file") }, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			sim := apisim.New(apisim.Options{Seed: 6, Now: noon, Days: 2, AlertsPerDay: 10})
			sim.SetToken("secret")
			sim.SetOnRequest(func(_ *http.Request, n int) {
				if n == 10 {
					sim.SetToken("second")
				}
			})
			var first sync.Once
			var refreshes atomic.Int32
			client := dial(t, sim, connections(8), func(o *Options) {
				o.Token = func(context.Context) (string, error) {
					refresh := true
					if first.Do(func() { refresh = false }); !refresh {
						return "secret", nil
					}
					if refreshes.Add(1) > 1 {
						return "wrong secret", nil
					}
					return c.fresh()
				}
			})
			failure := requestMany(client, 8, 10)
			if !c.fails {
				if failure != nil || refreshes.Load() != 1 {
					t.Errorf("%d refreshes, %v", refreshes.Load(), failure)
				}
				return
			}
			wantKind(t, failure, Unauthorized)
			was := refreshes.Load()
			for range 3 { // whatever is sent now is refused at once
				wantKind(t, peekAt(client), Unauthorized)
			}
			// A wrong token is a token of its own: another one may be requested once.
			if limit := int32(2); was > limit || refreshes.Load() > limit || (c.name != "a wrong one" && refreshes.Load() != 1) {
				t.Errorf("%d refreshes, %d later", was, refreshes.Load())
			}
		})
	}
}

// TestRedirectsAreNotFollowed, wherever they lead, readable or not.
func TestRedirectsAreNotFollowed(t *testing.T) {
	var stolen atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { stolen.Add(1) }))
	defer other.Close()
	for _, location := range []string{"", "/policy/violations", "?take=1", "//127.0.0.1:1/", "https://example.com/", "http://%zz/secret", other.URL + "/?secret", "file:///etc/passwd"} {
		for _, status := range []int{300, 301, 302, 303, 304, 307, 308} {
			var requested atomic.Int32
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				requested.Add(1)
				w.Header()["Location"] = []string{location}
				w.WriteHeader(status)
			}))
			err := wantKind(t, peekAt(dialURL(t, server.URL)), OffContract)
			if requested.Load() != 1 || !strings.Contains(err.Error(), "redirects, which is not followed") {
				t.Errorf("%d to %q: %d requests, %v", status, location, requested.Load(), err)
			}
			server.Close()
		}
	}
	if stolen.Load() != 0 {
		t.Error("a redirect was followed")
	}
}

// TestLinksAreNotFetched: an answer is data, also where it names addresses.
func TestLinksAreNotFetched(t *testing.T) {
	var stolen atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { stolen.Add(1) }))
	defer other.Close()
	var paths sync.Map
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		paths.Store(r.URL.Path, true)
		for _, name := range []string{"Link", "Content-Location", "Location", "Refresh", "Alt-Svc", "X-Next"} {
			w.Header().Set(name, "<"+other.URL+`>; rel="next"`)
		}
		_, _ = w.Write([]byte(`{"success":true,"next":"` + other.URL + `/n","links":{"next":"` + other.URL + `"},"total":1,"alerts":[
			{"id":"` + other.URL + `/1","timestamp":"2026-03-18T12:00:00.000Z","url":"` + other.URL + `/2"}]}`))
	}))
	defer server.Close()
	if rows, err := readAll(dialURL(t, server.URL)); err != nil || rows != 1 || stolen.Load() != 0 {
		t.Errorf("%d records, %d requests elsewhere, %v", rows, stolen.Load(), err)
	}
	paths.Range(func(path, _ any) bool {
		if path != "/policy/alerts" {
			t.Errorf("requested %v", path)
		}
		return true
	})
}

// TestErrorsDoNotShowTheToken, however the source sends it back.
func TestErrorsDoNotShowTheToken(t *testing.T) {
	const token = `eyJhbGci/secret+canary==.x"&<y>` + "~zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz"
	escaped := strings.NewReplacer(`/`, `\/`, `+`, `\u002b`, `=`, `\u003D`, `"`, `\u0022`, `&`, `\u0026`, `<`, `\u003c`, `>`, `\u003e`, `c`, `\u0063`).Replace(token)
	entities := strings.NewReplacer(`"`, `&quot;`, `&`, `&amp;`, `<`, `&lt;`, `>`, `&#62;`, `+`, `&#x2b;`, `/`, `&#47;`).Replace(token)
	plain := func(body string) string { return "Content-Length: " + strconv.Itoa(len(body)) + "\r\n\r\n" + body }
	for name, answer := range map[string]string{
		"message":             "HTTP/1.1 400 No\r\n" + plain(`{"message":"token `+escaped+`"}`),
		"message, quoted":     "HTTP/1.1 400 No\r\n" + plain(`{"message":"token `+strings.ReplaceAll(token, `"`, `\"`)+`"}`),
		"page":                "HTTP/1.1 502 No\r\n" + plain("<p>"+token+"</p>"),
		"page, entities":      "HTTP/1.1 403 No\r\n" + plain("<p>"+entities+"</p>"),
		"page, URL":           "HTTP/1.1 404 No\r\n" + plain("no /x?t="+url.QueryEscape(token)),
		"200, not JSON":       "HTTP/1.1 200 OK\r\n" + plain("it is "+token),
		"200, broken JSON":    "HTTP/1.1 200 OK\r\n" + plain(`{"a":"`+escaped+`"`),
		"200, no success":     "HTTP/1.1 200 OK\r\n" + plain(`{"success":false,"message":"`+escaped+`"}`),
		"200, total":          "HTTP/1.1 200 OK\r\n" + plain(`{"success":true,"alerts":[],"total":"`+escaped+`"}`),
		"status line":         "HTTP/1.1 400 " + token + "\r\n" + plain(""),
		"no status line":      token + "\r\n\r\n",
		"no status":           "HTTP/1.1 " + token + "\r\n\r\n",
		"header":              "HTTP/1.1 500 No\r\nX-Token: " + token + "\r\n" + plain(""),
		"no header":           "HTTP/1.1 500 No\r\n" + token + "\r\n\r\n",
		"length":              "HTTP/1.1 500 No\r\nContent-Length: " + token + "\r\n\r\n",
		"encoding":            "HTTP/1.1 500 No\r\nTransfer-Encoding: " + token + "\r\n\r\n",
		"Retry-After":         "HTTP/1.1 429 No\r\nRetry-After: " + token + "\r\n" + plain(""),
		"Location":            "HTTP/1.1 302 No\r\nLocation: http://%zz/" + token + "\r\n" + plain(""),
		"Location, readable":  "HTTP/1.1 302 No\r\nLocation: /" + url.QueryEscape(token) + "\r\n" + plain(""),
		"chunk":               "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + token + "\r\n",
		"Content-Encoding":    "HTTP/1.1 200 OK\r\nContent-Encoding: " + token + "\r\n" + plain(token),
		"an informative one":  "HTTP/1.1 103 " + token + "\r\nLink: " + token + "\r\n\r\nHTTP/1.1 500 No\r\n" + plain(token),
		"switching protocols": "HTTP/1.1 101 " + token + "\r\nUpgrade: " + token + "\r\nConnection: Upgrade\r\n\r\n" + token,
	} {
		t.Run(name, func(t *testing.T) {
			address := listen(t, func(conn net.Conn) {
				if _, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
					_, _ = io.WriteString(conn, answer)
				}
			})
			var reported []string
			client := dialURL(t, "http://"+address, func(o *Options) {
				o.Token = func(context.Context) (string, error) { return token, nil }
				o.Warn = func(message string) { reported = append(reported, message) }
			})
			err := peekAt(client)
			if err == nil {
				t.Fatal("no error")
			}
			for _, text := range append(reported, err.Error()) {
				for _, part := range []string{"eyJhbGci", "canary", "zzzz", `\u002b`} {
					if strings.Contains(text, part) {
						t.Errorf("%q is shown: %s", part, text)
					}
				}
			}
		})
	}
}

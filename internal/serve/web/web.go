// Package web serves the status page, metrics and probes over HTTP. It shows and
// never changes anything: there is no request that does.
//
// Without a password it answers only requests that name the machine itself, so
// that no page in a browser can read it by way of a name of its own (DNS
// rebinding). With one it answers those who know it; the probes need none, and
// say nothing but whether all is well.
package web

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"

	"github.com/flashback-sync/flashback-sync/internal/crash"
	"github.com/flashback-sync/flashback-sync/internal/status"
)

// Options say what is served, and to whom.
type Options struct {
	// User and Password are asked for; an empty password asks for nothing, and
	// is for loopback only. See Loopback.
	User, Password string
	// Hosts are names, beside those of loopback, that requests without a
	// password may give.
	Hosts []string
	// Status is what there is to show.
	Status func(context.Context) (*status.Status, error)
	// Page writes the page; Policy is its Content-Security-Policy.
	Page   func(io.Writer, *status.Status, Form) error
	Policy string
	// Metrics answers /metrics.
	Metrics http.Handler
	// Alive is nil while the scheduler does its work.
	Alive func() error
	// Crashed is given the trace of a request that panicked. The server goes on: one
	// page that cannot be written is no reason to stop the schedule.
	Crashed func(trace string)
}

// Form is which form of the page is wanted.
type Form int

// Forms of the page. Their addresses are / and those below.
const (
	Live   Form = iota // loads itself again
	Paused             // does not
	File               // the report, to keep
)

// Addresses of the forms, below the address of the live page.
const (
	PausedAddress = "?refresh=off"
	LiveAddress   = "./"
	FileAddress   = "report.html"
)

// Handler answers /, /report.html, /status.json, /metrics, /healthz and /readyz.
func Handler(o Options) http.Handler {
	pages, strangers := newGate(mostPages), newGate(mostStrangers)
	inner := http.NewServeMux()
	show := func(pattern string, answer http.HandlerFunc) { inner.Handle(pattern, pages.limit(answer)) }
	show("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		form := Live
		if r.URL.Query().Get("refresh") == "off" {
			form = Paused
		}
		o.page(w, r, pages, form)
	})
	show("GET /"+FileAddress, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Disposition", `attachment; filename="flashback-sync.html"`)
		o.page(w, r, pages, File)
	})
	show("GET /status.json", func(w http.ResponseWriter, r *http.Request) { o.json(w, r, pages) })
	inner.Handle("GET /metrics", o.Metrics)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", o.healthz)
	mux.Handle("GET /readyz", strangers.limit(func(w http.ResponseWriter, r *http.Request) { o.readyz(w, r, strangers) }))
	mux.Handle("/", o.guard(inner))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Cache-Control", "no-store")
		header.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		header.Set("Cross-Origin-Opener-Policy", "same-origin")
		header.Set("Cross-Origin-Resource-Policy", "same-origin")
		header.Set("Referrer-Policy", "no-referrer")
		header.Set("X-Content-Type-Options", "nosniff")
		defer func() {
			if p := recover(); p != nil {
				o.Crashed(crash.Report(p))
				http.Error(w, "internal error: serve's log has a trace", http.StatusInternalServerError)
			}
		}()
		mux.ServeHTTP(w, r)
	})
}

// guard lets those in who may see.
func (o Options) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case o.Password == "" && !o.named(r.Host):
			http.Error(w, "this host is not known here: ask for localhost, or set a password (serve.password_env)", http.StatusMisdirectedRequest)
		case o.Password != "" && !o.knows(r):
			w.Header().Set("WWW-Authenticate", `Basic realm="flashback-sync", charset="UTF-8"`)
			http.Error(w, "user name and password, please", http.StatusUnauthorized)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// named reports whether a request without a password names this machine.
func (o Options) named(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.Trim(host, "[]")
	for _, known := range append([]string{"localhost"}, o.Hosts...) {
		if strings.EqualFold(host, known) {
			return true
		}
	}
	address, err := netip.ParseAddr(host)
	return err == nil && address.Unmap().IsLoopback()
}

// knows compares in constant time, also where the lengths differ.
func (o Options) knows(r *http.Request) bool {
	user, password, given := r.BasicAuth()
	same := func(a, b string) int {
		x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
		return subtle.ConstantTimeCompare(x[:], y[:])
	}
	return given && same(user, o.User)&same(password, o.Password) == 1
}

func (o Options) page(w http.ResponseWriter, r *http.Request, g gate, form Form) {
	var content bytes.Buffer
	err := g.work(r.Context(), func() error {
		s, err := o.Status(r.Context())
		if err != nil {
			return err
		}
		return o.Page(&content, s, form)
	})
	if err != nil {
		fail(w, err)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", o.Policy)
	if !strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		_, _ = content.WriteTo(w) // who went away needs nothing
		return
	}
	w.Header().Set("Content-Encoding", "gzip")
	w.Header().Set("Vary", "Accept-Encoding")
	squeezed := gzip.NewWriter(w)
	_, _ = content.WriteTo(squeezed)
	_ = squeezed.Close()
}

func (o Options) json(w http.ResponseWriter, r *http.Request, g gate) {
	var content bytes.Buffer
	err := g.work(r.Context(), func() error {
		s, err := o.Status(r.Context())
		if err != nil {
			return err
		}
		return json.NewEncoder(&content).Encode(s.Judged())
	})
	if err != nil {
		fail(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = content.WriteTo(w)
}

func fail(w http.ResponseWriter, err error) {
	http.Error(w, "the state of data_dir cannot be read: "+err.Error(), http.StatusInternalServerError)
}

// healthz says whether the scheduler does its work: if not, it has to be
// started again.
func (o Options) healthz(w http.ResponseWriter, _ *http.Request) {
	answer(w, o.Alive())
}

// readyz says whether what is published can be shown. Nothing published yet is
// no failure: the first run takes its time.
func (o Options) readyz(w http.ResponseWriter, r *http.Request, g gate) {
	err := o.Alive()
	if err == nil {
		err = g.work(r.Context(), func() error {
			s, err := o.Status(r.Context())
			if err == nil && s.HoldingsError != "" {
				err = fmt.Errorf("what is published cannot be read")
			}
			return err
		})
	}
	answer(w, err)
}

// answer tells strangers no details.
func answer(w http.ResponseWriter, err error) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	if err != nil {
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = io.WriteString(w, "not ok\n")
		return
	}
	_, _ = io.WriteString(w, "ok\n")
}

// Loopback reports whether only this machine can reach an address: host:port, with
// an IP address of loopback or the name localhost.
func Loopback(listen string) bool {
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		return false
	}
	address, err := netip.ParseAddr(host)
	return strings.EqualFold(host, "localhost") || err == nil && address.Unmap().IsLoopback()
}

// Package web serves the status page, metrics and probes over HTTP. No request
// changes anything.
//
// Without a password it answers only requests that name the machine itself, so
// that no page in a browser can read it by way of a name of its own (DNS
// rebinding). With one it answers those who know it; the probes need none, and
// say nothing but whether all is well.
package web

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/flashback-sync/flashback-sync/internal/crash"
	"github.com/flashback-sync/flashback-sync/internal/page"
	"github.com/flashback-sync/flashback-sync/internal/status"
)

// mostRequests bounds the requests that are answered at once, slow readers included:
// those of the pages, and those that need no password. Each takes some megabytes, and
// the scheduler is in the same process.
const mostRequests = 16

// Options are what is served, and to whom.
type Options struct {
	// User and Password are required of requests. An empty password requires nothing,
	// and is for loopback only. See Loopback.
	User, Password string
	// Host is a name, beside those of loopback, that requests without a password may give.
	Host string
	// Status is what there is to show.
	Status func(context.Context) (*status.Status, error)
	// Metrics answers /metrics.
	Metrics http.Handler
	// Alive returns nil while the scheduler does its work.
	Alive func() error
	// Crashed is given the trace of a request that panicked. The server continues: one
	// page that cannot be written is no reason to stop the schedule.
	Crashed func(trace string)
}

// Handler answers /, /report.html, /status.json, /metrics, /healthz and /readyz.
func Handler(o Options) http.Handler {
	inner := http.NewServeMux()
	inner.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		form := page.Live
		if r.URL.Query().Get("refresh") == "off" {
			form = page.Paused
		}
		o.page(w, r, form)
	})
	inner.HandleFunc("GET /report.html", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Disposition", `attachment; filename="flashback-sync.html"`)
		o.page(w, r, page.File)
	})
	inner.HandleFunc("GET /status.json", func(w http.ResponseWriter, r *http.Request) {
		o.show(w, r, "application/json", func(w io.Writer, s *status.Status) error { return json.NewEncoder(w).Encode(s.WithProblems()) })
	})
	inner.Handle("GET /metrics", o.Metrics)
	mux := http.NewServeMux()
	// Whether the scheduler does its work: if not, it has to be started again.
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { answerProbe(w, o.Alive()) })
	mux.Handle("GET /readyz", limit(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { answerProbe(w, o.ready(r.Context())) })))
	mux.Handle("/", o.guard(limit(inner)))
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

// limit refuses requests above mostRequests at once.
func limit(next http.Handler) http.Handler {
	places := make(chan struct{}, mostRequests)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case places <- struct{}{}:
		default:
			w.Header().Set("Retry-After", "1")
			http.Error(w, "too many requests at once: try again in a second", http.StatusServiceUnavailable)
			return
		}
		defer func() { <-places }()
		next.ServeHTTP(w, r)
	})
}

// guard refuses those who may not see.
func (o Options) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case o.Password == "" && !o.known(r.Host):
			http.Error(w, "this host is not known here: use localhost, or set a password (serve.password_env)", http.StatusMisdirectedRequest)
		case o.Password != "" && !o.authorized(r):
			w.Header().Set("WWW-Authenticate", `Basic realm="flashback-sync", charset="UTF-8"`)
			http.Error(w, "user name and password, please", http.StatusUnauthorized)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// known reports whether the host of a request without a password is this machine.
func (o Options) known(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.Trim(host, "[]")
	return isLoopback(host) || host != "" && strings.EqualFold(host, o.Host)
}

// authorized compares in constant time, also where the lengths differ.
func (o Options) authorized(r *http.Request) bool {
	user, password, given := r.BasicAuth()
	same := func(a, b string) int {
		x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
		return subtle.ConstantTimeCompare(x[:], y[:])
	}
	return given && same(user, o.User)&same(password, o.Password) == 1
}

func (o Options) page(w http.ResponseWriter, r *http.Request, form page.Form) {
	w.Header().Set("Content-Security-Policy", page.Policy())
	o.show(w, r, "text/html; charset=utf-8", func(w io.Writer, s *status.Status) error { return page.Write(w, s, form) })
}

// show answers with what write makes of the status, or with an error.
func (o Options) show(w http.ResponseWriter, r *http.Request, contentType string, write func(io.Writer, *status.Status) error) {
	var content bytes.Buffer
	s, err := o.Status(r.Context())
	if err == nil {
		err = write(&content, s)
	}
	if err != nil {
		http.Error(w, "the state of data_dir cannot be read: "+err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", contentType)
	_, _ = content.WriteTo(w) // a client that went away needs nothing
}

// ready returns an error if what is published cannot be shown. Nothing published yet
// is no failure: the first run takes its time.
func (o Options) ready(ctx context.Context) error {
	if err := o.Alive(); err != nil {
		return err
	}
	s, err := o.Status(ctx)
	if err == nil && s.HoldingsError != "" {
		err = errors.New(s.HoldingsError)
	}
	return err
}

// answerProbe gives no details: probes need no password.
func answerProbe(w http.ResponseWriter, err error) {
	if err != nil {
		http.Error(w, "not ok", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = io.WriteString(w, "ok\n")
}

// Loopback reports whether only this machine can reach an address: host:port, with
// an IP address of loopback or the name localhost.
func Loopback(listen string) bool {
	host, _, err := net.SplitHostPort(listen)
	return err == nil && isLoopback(host)
}

func isLoopback(host string) bool {
	address, err := netip.ParseAddr(host)
	return strings.EqualFold(host, "localhost") || err == nil && address.Unmap().IsLoopback()
}

const probeTimeout = 5 * time.Second

// Probe checks that the serve that listens at host:port is healthy.
func Probe(ctx context.Context, host, port string) error {
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1" // needs no name to be resolved, as in an empty container
	}
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+net.JoinHostPort(host, port)+"/healthz", nil)
	if err != nil {
		return err
	}
	answer, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		return fmt.Errorf("serve does not answer: %w", err)
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("serve is not healthy: %s", answer.Status)
	}
	return nil
}

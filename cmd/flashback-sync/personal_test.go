package main

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/flashback-sync/flashback-sync/internal/apisim"
	"github.com/flashback-sync/flashback-sync/internal/exit"
)

// personal is text about people, as a source may send it. Here only bad answers contain it,
// so that it is to be nowhere: neither in a text nor in a file.
const personal = "Jane_Doe_9f3c71d2"

// receiver keeps what monitors are sent.
type receiver struct {
	*httptest.Server
	mu   sync.Mutex
	sent bytes.Buffer
	n    int
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, request *http.Request) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.n++
		fmt.Fprintln(&r.sent, request.URL, request.Header)
		_, _ = io.Copy(&r.sent, request.Body)
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) all() (n int, text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.n, r.sent.String()
}

// TestNothingOfABadAnswerIsToldOrKept, whichever command met it.
func TestNothingOfABadAnswerIsToldOrKept(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("retries take their time")
	}
	message := `{"success":false,"message":"` + personal + `","error_code":"` + personal + `"}`
	personalHeader := http.Header{"X-User": {personal}, "Set-Cookie": {personal + "=1"}}
	for name, c := range map[string]struct {
		fault   apisim.Fault
		retried bool // then a run takes its time, and one is enough
	}{
		"a message of 400":   {apisim.Fault{Kind: apisim.FaultStatus, Status: 400, Body: message, Header: personalHeader}, false},
		"a message of 403":   {apisim.Fault{Kind: apisim.FaultStatus, Status: 403, Body: message}, false},
		"a redirect":         {apisim.Fault{Kind: apisim.FaultStatus, Status: 302, Header: http.Header{"Location": {"https://example.com/" + personal}}}, false},
		"success false":      {apisim.Fault{Kind: apisim.FaultStatus, Status: 200, Body: message}, true},
		"a record cut short": {apisim.Fault{Kind: apisim.FaultStatus, Status: 200, Body: `{"success":true,"series":[{"` + personal + `":"` + personal + `"}],"alerts":[{"` + personal}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, told := newBench(t), newReceiver(t)
			b.env["FLASHBACK_PING_URL"], b.env["FLASHBACK_WEBHOOK_URL"] = told.URL+"/ping", told.URL+"/hook"
			b.env["FLASHBACK_SYNC_METRICS_TEXTFILE"] = filepath.Join(b.dir, "metrics.prom")
			b.first("")
			c.fault.Stream = apisim.Alerts
			remove := b.sim.Inject(c.fault)
			if r := b.end(b.start("sync", "--json", "--log-level", "trace")); strings.Contains(r.stdout+r.stderr, personal) {
				t.Errorf("sync: %s%s", r.stdout, r.stderr)
			}
			b.saysNothingPersonal("check")
			if !c.retried {
				b.saysNothingPersonal("verify")
				b.saysNothingPersonal("repair")
			}
			remove()
			c.fault.Stream = apisim.PolicyStats
			b.sim.Inject(c.fault)
			b.saysNothingPersonal("check")
			if !c.retried {
				b.saysNothingPersonal("sync", "--stream", "policy_stats")
			}
			b.saysNothingPersonal("status", "--json")
			b.saysNothingPersonal("status")
			b.saysNothingPersonal("report", "--out", filepath.Join(b.dir, "report.html"))
			if n, text := told.all(); n < 3 || strings.Contains(text, personal) {
				t.Errorf("%d messages were sent: %s", n, text)
			}
			b.keepsNothingPersonal()
		})
	}
}

// TestServeShowsNothingOfABadAnswer, on any of its pages.
func TestServeShowsNothingOfABadAnswer(t *testing.T) {
	t.Parallel()
	b, told := newBench(t), newReceiver(t)
	b.env["FLASHBACK_PING_URL"], b.env["FLASHBACK_WEBHOOK_URL"] = told.URL+"/ping", told.URL+"/hook"
	b.sim.Inject(apisim.Fault{Kind: apisim.FaultStatus, Status: 400, Body: `{"message":"` + personal + `"}`})
	s := b.serveWith(`{sync: "@every 1h"}`)
	b.until("the run is noted", func() bool { return len(s.status().Runs) > 0 })
	b.until("it is told", func() bool { n, _ := told.all(); return n >= 2 })
	for _, path := range []string{"/", "/status.json", "/metrics", "/readyz"} {
		if _, body := s.get(path); strings.Contains(body, personal) || body == "" {
			t.Errorf("%s: %s", path, body)
		}
	}
	s.stop()
	if strings.Contains(s.stdout.String()+s.stderr.String(), personal) {
		t.Errorf("it is logged: %s", s.stderr.String())
	}
	if n, text := told.all(); strings.Contains(text, personal) {
		t.Errorf("%d messages were sent: %s", n, text)
	}
	b.keepsNothingPersonal()
}

// TestAnswersAreShownOnlyToWhoAsks, on its own stderr.
func TestAnswersAreShownOnlyToWhoAsks(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.sim.Inject(apisim.Fault{Kind: apisim.FaultStatus, Status: 400, Body: `{"message":"` + personal + ` and ` + canary + `"}`})
	for _, command := range []string{"check", "sync"} {
		r := b.wants(exit.CodeSource, personal+" and [token]", command, "--show-answers")
		if strings.Contains(r.stdout, personal) {
			t.Errorf("%s: stdout shows it, too: %s", command, r.stdout)
		}
		b.wants(exit.CodeSource, "check --show-answers", command)
	}
	b.keepsNothingPersonal()
}

func (b *bench) saysNothingPersonal(args ...string) {
	b.t.Helper()
	if r := b.run(args...); strings.Contains(r.stdout+r.stderr, personal) {
		b.t.Errorf("%v: %s%s", args, r.stdout, r.stderr)
	}
}

func (b *bench) keepsNothingPersonal() {
	b.t.Helper()
	err := filepath.WalkDir(b.dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		content, err := os.ReadFile(path)
		if bytes.Contains(content, []byte(personal)) {
			b.t.Errorf("%s holds it", path)
		}
		return err
	})
	if err != nil {
		b.t.Error(err)
	}
}

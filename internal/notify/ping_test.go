package notify

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/flashback-sync/flashback-sync/internal/journal"
)

func TestPingsFollowARun(t *testing.T) {
	monitor := listen(t, nil)
	a := notifier(0, Options{PingURL: monitor.URL + "/ping/" + canary + "?create=1", Host: "db1"})
	good := run("sync", journal.OK, 0)
	good.Requests = map[string]int64{"200": 17}
	good.Streams = map[string]journal.Stream{"alerts": {Inserted: 40, Updated: 2}, "violations": {Inserted: 2}}
	bad := failed(0)
	for _, err := range []error{
		a.started(context.Background(), good), a.ended(context.Background(), good), a.ended(context.Background(), bad),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	const rid, plain = "create=1&rid=0195f000-0000-7000-8000-000000000001", "text/plain; charset=utf-8"
	want := []received{
		{"GET", "/ping/" + canary + "/start", rid, "", ""},
		{"POST", "/ping/" + canary, rid, plain, "ok: sync on db1, exit code 0 after 1m30s\n42 rows new, 2 changed, 17 requests\n"},
		{
			"POST", "/ping/" + canary + "/fail", rid, plain,
			"failed: sync on db1, exit code 5 after 1m30s\n0 rows new, 0 changed, 0 requests\nGET /policy/alerts: HTTP 503\ncheck api.base_url and the network\n",
		},
	}
	if diff := cmp.Diff(want, monitor.got(), cmp.AllowUnexported(received{})); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestPingAddresses(t *testing.T) {
	const id = "0195f000-0000-7000-8000-000000000001"
	for _, c := range []struct{ base, signal, want string }{
		{"https://hc/a", "", "https://hc/a?rid=" + id},
		{"https://hc/a", "start", "https://hc/a/start?rid=" + id},
		{"https://hc/a/", "fail", "https://hc/a/fail?rid=" + id},
		{"https://hc/a/", "", "https://hc/a/?rid=" + id},
		{"https://hc", "start", "https://hc/start?rid=" + id},
		{"https://u:p@hc:1/a%2Fb?x=1&y=%20", "fail", "https://u:p@hc:1/a%2Fb/fail?x=1&y=%20&rid=" + id},
	} {
		if got, err := pingAddress(c.base, c.signal, id); got != c.want || err != nil {
			t.Errorf("%s %s: %s, %v; want %s", c.base, c.signal, got, err, c.want)
		}
	}
	if _, err := pingAddress("https://"+canary+"\x7f", "", id); err == nil {
		t.Error("no error")
	} else {
		noCanary(t, err)
	}
}

func TestWhatFailsForAMomentIsTriedAgain(t *testing.T) {
	for name, answer := range map[string]func(http.ResponseWriter, *http.Request){
		"500":   func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) },
		"429":   func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(429) },
		"reset": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	} {
		monitor := listen(t, func(w http.ResponseWriter, r *http.Request, n int) {
			if n < tries {
				answer(w, r)
			}
		})
		if err := notifier(0, Options{PingURL: monitor.URL}).ended(context.Background(), failed(0)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got := monitor.got(); len(got) != tries || got[tries-1].body == "" {
			t.Errorf("%s: got %+v", name, got)
		}
	}
}

func TestErrorsDoNotContainTheURL(t *testing.T) {
	elsewhere := listen(t, nil)
	closed := httptest.NewServer(nil)
	closed.Close()
	hang := make(chan struct{})
	talkative := func(answer string) string {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = listener.Close() })
		go func() {
			for {
				c, err := listener.Accept()
				if err != nil {
					return
				}
				_, _ = c.Read(make([]byte, 4096))
				_, _ = c.Write([]byte(answer))
				_ = c.Close()
			}
		}()
		return "http://" + listener.Addr().String()
	}
	encrypted := httptest.NewUnstartedServer(nil)
	encrypted.Config.ErrorLog = log.New(io.Discard, "", 0)
	encrypted.StartTLS()
	defer encrypted.Close()
	server := func(answer func(http.ResponseWriter, *http.Request, int)) string { return listen(t, answer).URL }
	for _, c := range []struct{ name, base, want string }{
		{"404", server(answers(404)), "HTTP 404"},
		{"500", server(answers(500)), "HTTP 500"},
		{"reset", server(func(http.ResponseWriter, *http.Request, int) { panic(http.ErrAbortHandler) }), "broke off"},
		{"hang", server(func(_ http.ResponseWriter, r *http.Request, _ int) {
			select {
			case <-r.Context().Done():
			case <-hang:
			}
		}), "no answer within"},
		{"redirect to another host", server(func(w http.ResponseWriter, r *http.Request, _ int) {
			http.Redirect(w, r, elsewhere.URL+"/"+canary, http.StatusTemporaryRedirect)
		}), "HTTP 307"},
		{"redirect within the host", server(func(w http.ResponseWriter, r *http.Request, _ int) {
			http.Redirect(w, r, "/moved", http.StatusPermanentRedirect)
		}), "HTTP 308: redirects are not followed"},
		{"redirect that loses the message", server(func(w http.ResponseWriter, r *http.Request, _ int) {
			http.Redirect(w, r, "/login", http.StatusFound)
		}), "HTTP 302"},
		{"nobody there", closed.URL, "connection refused"},
		{"no such name", "http://" + canary + ".invalid", "no answer"},
		{"certificate", encrypted.URL, "certificate"},
		{"not HTTP", talkative("220 " + canary + "\r\n"), "no answer"},
		{"a header that is none", talkative("HTTP/1.1 200 OK\r\n" + canary + "\r\n\r\n"), "no answer"},
		{"a bad address", "http://[" + canary, "cannot be used"},
		{"a bad host", "http://127.0.0.1:" + canary, "cannot be used"},
	} {
		t.Run(c.name, func(t *testing.T) {
			url := c.base + "/" + canary + "?k=" + canary
			a := notifier(0, Options{DataDir: dataDir(t), PingURL: url, WebhookURL: url})
			a.sender.client.Timeout = 200 * time.Millisecond
			err := errors.Join(a.started(context.Background(), failed(0)), a.ended(context.Background(), failed(0)))
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "ping: ") || !strings.Contains(err.Error(), "webhook: ") {
				t.Errorf("error %v, want %q", err, c.want)
			}
			noCanary(t, err)
		})
	}
	close(hang)
	if got := elsewhere.got(); len(got) > 0 {
		t.Errorf("the redirect was followed: %v", got)
	}
}

func TestReportsAreShortAndHarmless(t *testing.T) {
	monitor := listen(t, nil)
	bad := failed(0)
	bad.Error = strings.Repeat("\x1b[31mé\u202e\xff\n", 20_000)
	if err := notifier(0, Options{PingURL: monitor.URL}).ended(context.Background(), bad); err != nil {
		t.Fatal(err)
	}
	body := monitor.got()[0].body
	if len(body) > 10_000 || !utf8.ValidString(body) || strings.ContainsAny(body, "\x1b\u202e") || strings.Count(body, "\n") != 4 {
		t.Errorf("%d bytes: %q", len(body), body)
	}
}

func TestOnlyRunsOfJobsNotify(t *testing.T) {
	monitor := listen(t, nil)
	dir := dataDir(t)
	a := notifier(0, Options{DataDir: dir, PingURL: monitor.URL, WebhookURL: monitor.URL})
	narrowed := failed(0)
	narrowed.Job = ""
	for _, r := range []journal.Run{narrowed, run("sync", journal.Skipped, 0), run("sync", journal.Interrupted, 0)} {
		if err := a.ended(context.Background(), r); err != nil {
			t.Error(err)
		}
	}
	if err := a.started(context.Background(), narrowed); err != nil {
		t.Error(err)
	}
	if got := monitor.got(); len(got) > 0 {
		t.Errorf("got %v", got)
	}
}

func TestWithoutURLsNothingIsWritten(t *testing.T) {
	dir := dataDir(t)
	a := New(Options{DataDir: dir})
	s := lagging(0, map[string]time.Duration{"alerts": 50 * time.Hour})
	for _, err := range []error{a.started(context.Background(), failed(0)), a.ended(context.Background(), failed(0)), a.check(context.Background(), s)} {
		if err != nil {
			t.Error(err)
		}
	}
	if entries, _ := os.ReadDir(dir + "/state"); len(entries) > 0 {
		t.Errorf("written: %v", entries)
	}
}

func TestACancelledRunDoesNotWait(t *testing.T) {
	monitor := listen(t, answers(500))
	ctx, cancel := context.WithCancel(context.Background())
	a := New(Options{PingURL: monitor.URL})
	a.sender.pause = time.Hour
	monitor.answer = func(w http.ResponseWriter, _ *http.Request, _ int) {
		w.WriteHeader(500)
		cancel()
	}
	if err := a.ended(ctx, failed(0)); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

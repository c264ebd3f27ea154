package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/flashback-sync/flashback-sync/internal/apisim"
	"github.com/flashback-sync/flashback-sync/internal/exit"
	"github.com/flashback-sync/flashback-sync/internal/journal"
	"github.com/flashback-sync/flashback-sync/internal/status"
)

// served is a serve that runs as a process.
type served struct {
	*bench
	*process
	url string
}

// serveWith starts serve with the schedule and waits until it answers.
func (b *bench) serveWith(schedule string, more ...string) *served {
	b.t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.t.Fatal(err)
	}
	address := listener.Addr().String()
	if err := listener.Close(); err != nil {
		b.t.Fatal(err)
	}
	b.configure(streamsConfig + fmt.Sprintf("serve: {listen: %q}\nschedule: %s\n%s", address, schedule, strings.Join(more, "\n")))
	s := &served{bench: b, process: b.start("serve"), url: "http://" + address}
	b.t.Cleanup(func() { _ = s.Process.Kill() }) // if it has not ended yet
	b.until("serve answers", func() bool { code, _ := s.get("/healthz"); return code == http.StatusOK })
	return s
}

// stop ends serve as a service manager does.
func (s *served) stop() {
	s.t.Helper()
	if err := s.Process.Signal(syscall.SIGTERM); err != nil {
		s.t.Fatal(err)
	}
	if r := s.end(s.process); r.code != 143 {
		s.t.Errorf("exit %d\n%s", r.code, r.stderr)
	}
}

func (s *served) get(path string) (code int, body string) {
	answer, err := http.Get(s.url + path)
	if err != nil {
		return 0, err.Error()
	}
	defer func() { _ = answer.Body.Close() }()
	content, err := io.ReadAll(answer.Body)
	if err != nil {
		return 0, err.Error()
	}
	return answer.StatusCode, string(content)
}

func (s *served) status() (now status.Status) {
	s.t.Helper()
	code, body := s.get("/status.json")
	if err := json.Unmarshal([]byte(body), &now); err != nil {
		s.t.Fatalf("%d %s: %v", code, body, err)
	}
	return now
}

// until waits for something that other processes bring about.
func (b *bench) until(what string, done func() bool) {
	b.t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); !done(); {
		if time.Now().After(deadline) {
			b.t.Fatalf("after 2 minutes still not: %s", what)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func TestServeRunsWhatIsDueAndShowsIt(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	s := b.serveWith(`{sync: "@every 1h", verify: "@every 1h"}`)
	b.until("the first run is noted", func() bool { return len(s.status().Runs) > 0 })
	now := s.status()
	if len(now.Runs) != 1 || now.Runs[0].Job != "sync" || !now.Runs[0].Good() || len(now.Jobs) != 2 || now.Holdings == nil {
		t.Errorf("got %+v", now)
	}
	for path, want := range map[string]string{
		"/": "<html", "/metrics": `flashback_sync_runs_total{job="sync",status="ok"} 1`, "/readyz": "ok",
	} {
		if code, body := s.get(path); code != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("GET %s: %d, and no %q in %s", path, code, want, body)
		}
	}
	b.must("serve", "--probe")
	b.wants(exit.CodeLocked, "another instance", "serve")
	s.stop()
	b.wants(exit.CodeOther, "does not answer", "serve", "--probe")
	b.complete()
}

func TestServeOutlivesARunThatIsKilled(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	reached := b.slowly(4)
	b.sim.Inject(apisim.Fault{Kind: apisim.FaultHang, From: 4})
	s := b.serveWith(`{sync: "@every 1h"}`)
	b.await(reached)
	b.until("the run shows its progress", func() bool { return s.status().Progress != nil })
	if err := syscall.Kill(s.status().Progress.PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	b.until("the run is noted", func() bool { return len(s.status().Runs) > 0 })
	if r := s.status().Runs[0]; r.Status != journal.Crashed || r.ExitCode != -1 || r.Job != "sync" {
		t.Errorf("got %+v", r)
	}
	b.sim.ClearFaults()
	b.sim.SetSemantics(apisim.Semantics{})
	b.sim.SetOnRequest(nil)
	b.configure(streamsConfig + fmt.Sprintf("serve: {listen: %q}\nschedule: {sync: \"@every 1s\"}\n", strings.TrimPrefix(s.url, "http://")))
	if err := s.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	b.until("the next run is good", func() bool { return s.status().Runs[0].Good() })
	s.stop()
	b.complete()
}

func TestARunOutlivesTheServeThatStartedIt(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	reached := b.slowly(4)
	s := b.serveWith(`{sync: "@every 1h"}`)
	b.await(reached)
	if err := s.Process.Kill(); err != nil { // and the other end of the run's stderr with it
		t.Fatal(err)
	}
	b.end(s.process)
	b.until("the run is noted", func() bool { return len(b.journal()) > 0 })
	if r := b.journal()[0]; !r.Good() {
		t.Errorf("got %+v", r)
	}
	b.complete()
}

func TestAHangupWhileServeStopsChangesNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	reached := b.slowly(4)
	b.sim.Inject(apisim.Fault{Kind: apisim.FaultHang, From: 4})
	s := b.serveWith(`{sync: "@every 1h"}`)
	b.await(reached)
	b.until("the run shows its progress", func() bool { return s.status().Progress != nil })
	run := s.status().Progress.PID
	if err := syscall.Kill(run, syscall.SIGSTOP); err != nil { // it takes its time to end
		t.Fatal(err)
	}
	if err := s.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	time.Sleep(500 * time.Millisecond) // nothing shows that it noticed
	if err := s.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(run, syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	if r := b.end(s.process); r.code != 143 {
		t.Errorf("exit %d\n%s", r.code, r.stderr)
	}
}

func TestServeIsNotShownToANetworkWithoutAPassword(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for _, listen := range []string{"0.0.0.0:0", ":0", "[::]:0", "192.0.2.1:0"} {
		b.configure(streamsConfig + fmt.Sprintf("serve: {listen: %q}\n", listen))
		b.wants(exit.CodeUsage, "no password is set", "serve")
	}
	b.configure(streamsConfig + "serve: {password_file: /none}\n")
	b.wants(exit.CodeUsage, "serve.password_file", "serve")
}

func TestServeSpeaksWithSystemd(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	socket := filepath.Join(t.TempDir(), "notify")
	listener, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	b.env["NOTIFY_SOCKET"] = socket
	s := b.serveWith(`{sync: "@every 1h"}`)
	await := func(want string) {
		t.Helper()
		buffer := make([]byte, 4096)
		for {
			if err := listener.SetReadDeadline(time.Now().Add(30 * time.Second)); err != nil {
				t.Fatal(err)
			}
			n, err := listener.Read(buffer)
			if err != nil {
				t.Fatalf("%s was not told: %v", want, err)
			}
			if strings.HasPrefix(string(buffer[:n]), want) {
				return
			}
		}
	}
	await("READY=1")
	await("WATCHDOG=1")
	if err := s.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	await("RELOADING=1")
	await("READY=1")
	if err := s.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	await("STOPPING=1")
	b.end(s.process)
}

func TestAChangedDataDirCountsFromTheNextStart(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	s := b.serveWith(`{sync: "@every 1s"}`)
	b.until("the first run is noted", func() bool { return len(b.journal()) > 0 })
	content, err := os.ReadFile(b.config)
	if err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(b.dir, "other")
	if err := os.WriteFile(b.config, []byte(strings.ReplaceAll(string(content), b.data(), other)), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	before := len(b.journal())
	b.until("more runs are noted", func() bool { return len(b.journal()) > before+2 })
	if _, err := os.Stat(other); err == nil {
		t.Error("runs work in the other folder")
	}
}

// What lies in the file matters when it is read: until then the page shows what serve
// was started with.
func TestAHalfEditedConfigurationHidesNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	s := b.serveWith(`{sync: "@every 1h"}`)
	b.until("the first run is noted", func() bool { return len(s.status().Runs) > 0 })
	if err := errors.Join(
		os.WriteFile(b.config, []byte("streams: ["), 0o600),
		os.Chtimes(filepath.Join(b.data(), "flashback.duckdb"), noon, noon), // as if it were a new one
	); err != nil {
		t.Fatal(err)
	}
	if now := s.status(); now.HoldingsError != "" || now.Holdings == nil {
		t.Errorf("got %q", now.HoldingsError)
	}
	if code, body := s.get("/readyz"); code != http.StatusOK {
		t.Errorf("GET /readyz: %d %s", code, body)
	}
}

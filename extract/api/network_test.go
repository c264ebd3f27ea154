package api

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/flashback-sync/flashback-sync/internal/apisim"
)

// listen serves connections one by one, and ends them with the test.
func listen(t *testing.T, serve func(net.Conn)) (address string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var open []net.Conn
	var group sync.WaitGroup
	group.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			open = append(open, conn)
			mu.Unlock()
			group.Go(func() {
				defer conn.Close()
				serve(conn)
			})
		}
	})
	t.Cleanup(func() {
		listener.Close()
		mu.Lock()
		for _, conn := range open {
			conn.Close()
		}
		mu.Unlock()
		group.Wait()
	})
	return listener.Addr().String()
}

// proxy passes connections on to a server, with what a network may do to the nth.
func proxy(t *testing.T, target string, back func(n int, client, server net.Conn)) (address string) {
	t.Helper()
	var n atomic.Int32
	return listen(t, func(client net.Conn) {
		server, err := net.Dial("tcp", strings.TrimPrefix(strings.TrimPrefix(target, "https://"), "http://"))
		if err != nil {
			t.Error(err)
			return
		}
		number := int(n.Add(1))
		var group sync.WaitGroup
		group.Go(func() {
			_, _ = io.Copy(server, client)
			server.Close()
		})
		back(number, client, server)
		client.Close()
		server.Close()
		group.Wait()
	})
}

func reset(conn net.Conn) {
	_ = conn.(*net.TCPConn).SetLinger(0)
	conn.Close()
}

// TestNetworkFailures of the first two connections cost two retries, and those of
// all connections end with what happened.
func TestNetworkFailures(t *testing.T) {
	for name, c := range map[string]struct {
		back func(client, server net.Conn)
		says string
	}{
		"reset at once":         {func(client, _ net.Conn) { reset(client) }, ""},
		"reset in the headers":  {func(client, server net.Conn) { _, _ = io.CopyN(client, server, 30); reset(client) }, ""},
		"reset in mid-body":     {func(client, server net.Conn) { _, _ = io.CopyN(client, server, 3000); reset(client) }, "broke off"},
		"closed in the headers": {func(client, server net.Conn) { _, _ = io.CopyN(client, server, 30) }, "what came is not HTTP"},
		"closed in mid-body":    {func(client, server net.Conn) { _, _ = io.CopyN(client, server, 3000) }, "broke off: unexpected EOF"},
		"closed without a word": {func(net.Conn, net.Conn) {}, ""},
		"not HTTP":              {speakSSH, "what came is not HTTP"},
		"hung before headers":   {func(_, server net.Conn) { _, _ = io.Copy(io.Discard, server) }, "no answer within 300ms"},
		"hung in the headers":   {func(client, server net.Conn) { _, _ = io.CopyN(client, server, 30); _, _ = io.Copy(io.Discard, server) }, "no answer within 300ms"},
		"hung in mid-body": {func(client, server net.Conn) {
			_, _ = io.CopyN(client, server, 3000)
			_, _ = io.Copy(io.Discard, server)
		}, "the answer stopped coming for 100ms"},
		"hung behind the header": {hangAfterHeaders, "the answer stopped coming for 100ms"},
		"trickling":              {trickle, "the answer was not complete within 300ms"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sim := apisim.New(apisim.Options{Seed: 6, Now: noon, Days: 2, AlertsPerDay: 100})
			url, stop := sim.Start()
			defer stop()
			for _, broken := range []int{2, 1000} {
				address := proxy(t, url, func(n int, client, server net.Conn) {
					if n <= broken {
						c.back(client, server)
						return
					}
					_, _ = io.Copy(client, server)
				})
				client := dialURL(t, "http://"+address, func(o *Options) { o.Timeout, o.Idle = 300*time.Millisecond, 100*time.Millisecond })
				_, err := client.List(t.Context(), anyPage, Bounds{To: MaxBound}, 0, 100)
				if broken == 2 {
					if err != nil || client.Requests() != 3 {
						t.Errorf("%d requests, %v", client.Requests(), err)
					}
					continue
				}
				if wantKind(t, err, Unreachable); client.Requests() != 4 || !strings.Contains(err.Error(), c.says) {
					t.Errorf("%d requests, %q, want %q in it", client.Requests(), err, c.says)
				}
			}
		})
	}
}

func speakSSH(client, server net.Conn) {
	_, _ = io.CopyN(io.Discard, server, 1)
	_, _ = io.WriteString(client, "SSH-2.0-OpenSSH_9.6\r\n")
}

func hangAfterHeaders(client, server net.Conn) {
	var one [1]byte
	for seen := ""; !strings.HasSuffix(seen, "\r\n\r\n"); {
		if _, err := io.ReadFull(server, one[:]); err != nil {
			return
		}
		seen += string(one[:])
		_, _ = client.Write(one[:])
	}
	_, _ = io.Copy(io.Discard, server)
}

// trickle never stops for long, and never ends.
func trickle(client, server net.Conn) {
	_, _ = io.CopyN(client, server, 1000)
	for {
		if _, err := io.CopyN(client, server, 1); err != nil {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func TestRefusedConnection(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listener.Close()
	client := dialURL(t, "http://"+listener.Addr().String())
	if err := wantKind(t, peekAt(client), Unreachable); client.Requests() != 4 || !strings.Contains(err.Error(), "refused") {
		t.Errorf("%d requests, %v", client.Requests(), err)
	}
}

func TestUnknownHost(t *testing.T) {
	client := dialURL(t, "http://nobody.invalid") // never resolves, by RFC 2606
	if err := wantKind(t, peekAt(client), Unreachable); client.Requests() != 4 || !strings.Contains(err.Error(), "lookup nobody.invalid") {
		t.Errorf("%d requests, %v", client.Requests(), err)
	}
}

// TestBadCertificate is not retried: it does not pass, and the token was not sent.
func TestBadCertificate(t *testing.T) {
	var requested atomic.Int32
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { requested.Add(1) }))
	server.Config.ErrorLog = silent
	server.StartTLS()
	defer server.Close()
	client := dialURL(t, server.URL)
	if err := wantKind(t, peekAt(client), Unreachable); client.Requests() != 1 || requested.Load() != 0 || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("%d requests, %v", client.Requests(), err)
	}
}

// TestDeadConnection: over HTTP/2 all requests share one connection. When it is
// dead, the next one must be a new one.
func TestDeadConnection(t *testing.T) {
	sim := apisim.New(apisim.Options{Now: noon})
	server := httptest.NewUnstartedServer(sim.Handler())
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	dead := make(chan struct{})
	address := proxy(t, server.URL, func(n int, client, server net.Conn) {
		if n > 1 {
			_, _ = io.Copy(client, server)
			return
		}
		buffer := make([]byte, 64<<10)
		for {
			length, err := server.Read(buffer)
			select {
			case <-dead: // swallow what comes
			default:
				_, _ = client.Write(buffer[:length])
			}
			if err != nil {
				return
			}
		}
	})
	client := dialURL(t, "https://"+address, func(o *Options) { o.Timeout, o.Idle = 400*time.Millisecond, 100*time.Millisecond })
	client.http.Transport.(*http.Transport).TLSClientConfig = server.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
	client.http.Transport.(*http.Transport).TLSClientConfig.NextProtos = nil
	if err := peekAt(client); err != nil {
		t.Fatal(err)
	}
	close(dead)
	if err := peekAt(client); err != nil {
		t.Error(err)
	}
}

// TestAChangeOfProtocolsEndsAtOnce: the body of such an answer is the connection, which
// may stay open and silent for as long as the other side likes.
func TestAChangeOfProtocolsEndsAtOnce(t *testing.T) {
	silent := make(chan struct{})
	defer close(silent)
	address := listen(t, func(conn net.Conn) {
		if _, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
			_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n")
			<-silent
		}
	})
	client := dialURL(t, "http://"+address, func(*Options) {})
	done := make(chan error, 1)
	go func() { done <- peekAt(client) }()
	select {
	case err := <-done:
		wantKind(t, err, OffContract)
	case <-time.After(20 * time.Second):
		t.Fatal("no end")
	}
}

package api

import (
	"context"
	"net/http"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/flashback-sync/flashback-sync/checkpoints/instant"
	"github.com/flashback-sync/flashback-sync/internal/apisim"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	noon    = time.Date(2026, 3, 18, 12, 34, 56, 0, time.UTC) // a Wednesday
	anyPage = Query{Endpoint: "/policy/alerts"}
	recent  = Bounds{From: instant.Of(noon.Add(-time.Hour)), To: MaxBound}
)

// dial serves the simulator and returns a client of it.
func dial(t *testing.T, sim *apisim.Sim, change ...func(*Options)) *Client {
	t.Helper()
	url, stop := sim.Start()
	t.Cleanup(stop)
	return dialURL(t, url, append([]func(*Options){func(o *Options) { o.Now = sim.Now }}, change...)...)
}

// dialURL returns a client of any server.
func dialURL(t *testing.T, url string, change ...func(*Options)) *Client {
	t.Helper()
	options := Options{
		BaseURL: url, MaxConcurrency: 4, Timeout: 20 * time.Second, Retries: 3, Backoff: time.Millisecond,
		Token: func(context.Context) (string, error) { return "secret", nil },
	}
	for _, c := range change {
		c(&options)
	}
	client, err := New(options)
	if err != nil {
		t.Fatalf("%v", err)
	}
	// Most of the time would go into compressing; TestCompressedAnswers has it on.
	client.http.Transport.(*http.Transport).DisableCompression = true
	t.Cleanup(client.Close)
	return client
}

func connections(n int) func(*Options) { return func(o *Options) { o.MaxConcurrency = n } }

// peekAt requests one row.
func peekAt(c *Client) error {
	_, err := c.List(context.Background(), anyPage, recent, 0, 1)
	return err
}

// readAll pages through all alerts by skip.
func readAll(c *Client) (rows int, err error) {
	for {
		page, err := c.List(context.Background(), anyPage, Bounds{From: MinBound, To: MaxBound}, rows, MaxTake)
		if err != nil {
			return rows, err
		}
		if rows += len(page.Rows); rows >= page.Total {
			return rows, nil
		}
	}
}

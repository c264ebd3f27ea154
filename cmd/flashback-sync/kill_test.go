package main

import (
	"context"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/flashback-sync/flashback-sync/internal/apisim"
	"github.com/flashback-sync/flashback-sync/internal/journal"
	"github.com/flashback-sync/flashback-sync/internal/serve/schedule"
	"github.com/flashback-sync/flashback-sync/load"
	"github.com/flashback-sync/flashback-sync/load/duckdb"
)

// slowly makes the source answer slowly, and tells when it was asked n times.
func (b *bench) slowly(n int) (reached chan struct{}) {
	m := b.sim.Semantics()
	m.Latency = 30 * time.Millisecond
	b.sim.SetSemantics(m)
	reached = make(chan struct{})
	asked := 0
	b.sim.SetOnRequest(func(*http.Request, int) {
		if asked++; asked == n {
			close(reached)
		}
	})
	return reached
}

func (b *bench) await(reached <-chan struct{}) {
	b.t.Helper()
	select {
	case <-reached:
	case <-time.After(2 * time.Minute):
		b.t.Fatal("the source was not asked")
	}
}

func TestASignalStopsItCleanly(t *testing.T) {
	t.Parallel()
	for signal, want := range map[syscall.Signal]int{syscall.SIGTERM: 143, syscall.SIGINT: 130} {
		t.Run(signal.String(), func(t *testing.T) {
			b := newBench(t)
			b.env["FLASHBACK_SYNC_API_MAX_CONCURRENCY"] = "1"
			b.configure("streams:\n  alerts: {start: 2026-03-10}\n  violations: {start: 2026-03-10}\n")
			reached := b.slowly(7)
			p := b.start("sync", "--json")
			b.await(reached)
			clock := time.Now()
			if err := p.Process.Signal(signal); err != nil {
				t.Fatal(err)
			}
			r := b.end(p)
			if took := time.Since(clock); r.code != want || took > 10*time.Second {
				t.Errorf("exit %d after %v, want %d\n%s", r.code, took, want, r.stderr)
			}
			if !strings.Contains(r.stderr, "flashback-sync: stopped by "+schedule.SignalName(signal)+"\n") {
				t.Errorf("it does not say why it stopped:\n%s", r.stderr)
			}
			if noted := b.journal()[0]; noted.Status != journal.Interrupted || noted.Error != "stopped by "+schedule.SignalName(signal) || noted.Hint != "" {
				t.Errorf("noted as %+v", noted)
			}
			stored := b.private("SELECT count(*) FROM alerts")
			if stored == 0 {
				t.Error("what had been received is lost")
			}
			b.sim.SetSemantics(apisim.Semantics{})
			b.sim.SetOnRequest(nil)
			b.must("sync")
			b.complete()
		})
	}
}

// private asks the warehouse itself for a number.
func (b *bench) private(query string) (n int) {
	b.t.Helper()
	db, err := duckdb.Open(load.File(b.data()), duckdb.Session{ReadOnly: true})
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if err := db.QueryRowContext(context.Background(), query).Scan(&n); err != nil {
		b.t.Fatal(err)
	}
	return n
}

func TestAHangingSourceDoesNotKeepItFromStopping(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	reached := b.slowly(4)
	b.sim.Inject(apisim.Fault{Kind: apisim.FaultHang, From: 4})
	p := b.start("sync")
	b.await(reached)
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	clock := time.Now()
	if r := b.end(p); r.code != 143 || time.Since(clock) > 10*time.Second {
		t.Errorf("exit %d after %v\n%s", r.code, time.Since(clock), r.stderr)
	}
}

package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/flashback-sync/flashback-sync/internal/apisim"
	"github.com/flashback-sync/flashback-sync/load"
	"github.com/flashback-sync/flashback-sync/schema"
)

// reader opens what is published again and again, as analysts do. It never sees
// an error, a half file, a row twice, or fewer rows than before.
type reader struct {
	b       *bench
	stop    chan struct{}
	stopped sync.WaitGroup
	reads   int
	rows    int // of the DuckDB file, when it was read last
}

func (b *bench) reading() *reader {
	r := &reader{b: b, stop: make(chan struct{})}
	r.stopped.Go(func() {
		for {
			select {
			case <-r.stop:
				return
			default:
			}
			if err := errors.Join(r.readDuckDB(), r.readParquet()); err != nil {
				b.t.Errorf("a reader was disturbed: %v", err)
				return
			}
		}
	})
	return r
}

func (r *reader) readDuckDB() error {
	path := filepath.Join(r.b.data(), "flashback.duckdb")
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil // nothing is published yet
	}
	db, err := load.OpenDuckDB(path, load.Session{ReadOnly: true})
	if err != nil {
		return err
	}
	var rows, distinct, complete int
	err = db.QueryRowContext(context.Background(), "SELECT count(*), count(DISTINCT id), count(message || _run_id) FROM alerts").Scan(&rows, &distinct, &complete)
	if err = errors.Join(err, db.Close()); err != nil {
		return err
	}
	if rows != distinct || rows != complete || rows < r.rows {
		return fmt.Errorf("%d rows, %d distinct, %d complete, %d before", rows, distinct, complete, r.rows)
	}
	r.rows = rows
	r.reads++
	return nil
}

func (r *reader) readParquet() error {
	files, err := filepath.Glob(filepath.Join(r.b.data(), "lake/*/*/*.parquet"))
	if err != nil || len(files) == 0 {
		return err
	}
	db, err := sql.Open("duckdb", "")
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	for _, file := range files {
		var rows int
		err := db.QueryRowContext(context.Background(), "SELECT count(_run_id) FROM read_parquet("+schema.Literal(file)+")").Scan(&rows)
		if err != nil || rows == 0 {
			return fmt.Errorf("%s: %d rows, %w", filepath.Base(file), rows, err)
		}
	}
	r.reads++
	return nil
}

func (r *reader) end() {
	close(r.stop)
	r.stopped.Wait()
}

func TestKilledAtAnyInstantItLosesNothing(t *testing.T) {
	b := newBench(t)
	b.configure("streams:\n  alerts: {start: 2026-03-10}\n  violations: {start: 2026-03-10}\n")
	clock := time.Now()
	if r := b.end(b.start("sync")); r.code != 0 {
		t.Fatalf("exit %d\n%s", r.code, r.stderr)
	}
	usual := time.Since(clock)
	r := b.reading()
	const seed = 1
	dice := rand.New(rand.NewPCG(seed, 0))
	killed := 0
	for n := range 30 {
		b.sim.Advance(20 * time.Minute)
		row := b.sim.NewRow(apisim.Alerts, b.sim.Now().Add(-time.Duration(n)*time.Hour), n)
		b.sim.AddAlerts(row)
		old := b.sim.Violations()
		b.sim.Update(apisim.Violations, old[len(old)-1].ID, func(r *apisim.Row) { r.Explanation = fmt.Sprint("changed ", n) })
		p := b.start("sync")
		timer := time.AfterFunc(time.Duration(dice.Int64N(int64(usual))), func() { _ = p.Process.Kill() })
		switch end := b.end(p); {
		case end.code == -1:
			killed++
		case end.code != 0:
			t.Errorf("run %d after a kill: exit %d\n%s", n, end.code, end.stderr)
		}
		timer.Stop()
	}
	r.end()
	if r.reads < 10 || killed < 10 {
		t.Errorf("%d reads and %d kills prove little", r.reads, killed)
	}
	b.must("sync")
	b.complete()
	if got := b.count("SELECT count(*) FROM violations WHERE explanation = 'changed 29'"); got != "1" {
		t.Errorf("the last change is held %s times", got)
	}
	leftovers, _ := filepath.Glob(filepath.Join(b.data(), "*", ".*"))
	if more, _ := filepath.Glob(filepath.Join(b.data(), ".*")); len(leftovers)+len(more) > 0 {
		t.Errorf("leftovers: %v %v", leftovers, more)
	}
}

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
	case <-time.After(30 * time.Second):
		b.t.Fatal("the source was not asked")
	}
}

func TestASignalStopsItCleanly(t *testing.T) {
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
			held := b.private("SELECT count(*) FROM alerts")
			if held == 0 {
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
	db, err := load.OpenDuckDB(load.File(b.data()), load.Session{ReadOnly: true})
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

func TestOfManyInstancesOneRuns(t *testing.T) {
	b := newBench(t)
	b.configure("streams:\n  alerts: {start: 2026-03-10}\n")
	reached := b.slowly(2)
	first := b.start("sync")
	b.await(reached)
	var others []*process
	for range 5 {
		others = append(others, b.start("sync"))
	}
	locked := 0
	for _, p := range others {
		if r := b.end(p); r.code == codeLocked {
			locked++
		} else if r.code != 0 {
			t.Errorf("exit %d\n%s", r.code, r.stderr)
		}
	}
	if r := b.end(first); r.code != 0 {
		t.Errorf("the first: exit %d\n%s", r.code, r.stderr)
	}
	if locked == 0 {
		t.Error("no other instance was kept out")
	}
	if got, want := b.count("SELECT count(*) FROM alerts"), strconv.Itoa(b.sim.Len(apisim.Alerts)); got != want {
		t.Errorf("%s rows, want %s", got, want)
	}
}

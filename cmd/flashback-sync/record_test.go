package main

import (
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
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

func (b *bench) journal() []journal.Run {
	b.t.Helper()
	j, err := journal.Read(b.data())
	if err != nil {
		b.t.Fatal(err)
	}
	return j.Runs
}

func TestARunIsNotedWithWhatItDid(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.must("sync")
	runs := b.journal()
	if len(runs) != 1 {
		t.Fatalf("%d runs are noted", len(runs))
	}
	r := runs[0]
	if r.Command != "sync" || r.Job != "sync" || r.Status != journal.OK || r.ExitCode != 0 || r.Error != "" || r.Version == "" {
		t.Errorf("got %+v", r)
	}
	if stored := int64(b.sim.Len(apisim.Alerts)); r.Streams["alerts"].Inserted != stored || !r.Streams["alerts"].Complete {
		t.Errorf("alerts: %+v, of %d", r.Streams["alerts"], stored)
	}
	var sent int64
	for _, s := range r.Streams {
		sent += s.Requests
	}
	if r.Requests["200"] != sent || r.Sent() != sent || r.PeakBytes == 0 || !r.FinishedAt.After(r.StartedAt) {
		t.Errorf("%d requests by stream: %+v", sent, r)
	}
	if p, err := journal.ReadProgress(b.data()); p != nil || err != nil {
		t.Errorf("its progress is left: %+v, %v", p, err)
	}
}

func TestAFailureIsNotedWithItsError(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.first("")
	b.env["FLASHBACK_TOKEN"] = "wrong"
	b.wants(exit.CodeUnauthorized, "HTTP 401", "sync")
	r := b.journal()[0]
	if r.Status != journal.Failed || r.ExitCode != exit.CodeUnauthorized || !strings.Contains(r.Error, "401") || !strings.Contains(r.Hint, "token") {
		t.Errorf("got %+v", r)
	}
	if r.Requests["401"] == 0 {
		t.Errorf("requests %v", r.Requests)
	}
}

func TestWhatAPersonNarrowedIsNoJob(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for want, args := range map[string][]string{
		"sync": {"sync"}, "alerts": {"sync", "--stream", "alerts"}, "violations": {"sync", "--job", "violations", "--stream", "violations"},
	} {
		b.must(args...)
		if got := b.journal()[0].Job; got != want {
			t.Errorf("%v: job %q, want %q", args, got, want)
		}
	}
	for _, args := range [][]string{{"sync", "--from", "2026-03-12"}, {"sync", "--stream", "alerts,violations"}, {"repair"}} {
		b.must(args...)
		if got := b.journal()[0].Job; got != "" {
			t.Errorf("%v: job %q, want none", args, got)
		}
	}
	for _, args := range [][]string{{"sync", "--job", "nonsense"}, {"sync", "--job", "verify"}, {"verify", "--job", "sync"}} {
		b.wants(exit.CodeUsage, "--job", args...)
	}
}

func TestWhatChangesNothingIsNotNoted(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.first("")
	b.must("sync", "--dry-run")
	b.must("verify")
	b.must("status")
	if n := len(b.journal()); n != 1 {
		t.Errorf("%d runs are noted, want the sync alone", n)
	}
	b.must("verify", "--job", "verify")
	if r := b.journal()[0]; r.Command != "verify" || r.Verdict != "match" || r.Status != journal.OK {
		t.Errorf("got %+v", r)
	}
}

func TestWhoDiedIsNotedByTheNextRun(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.first("")
	died := &journal.Progress{
		RunID: "dead", Command: "sync", Job: "sync", StartedAt: noon, UpdatedAt: noon.Add(time.Minute),
		Streams: []journal.StreamProgress{{Stream: "alerts", Rows: 7, Requests: 3}},
	}
	if err := journal.WriteProgress(b.data(), died); err != nil {
		t.Fatal(err)
	}
	b.must("sync")
	runs := b.journal()
	if len(runs) != 3 || runs[1].RunID != "dead" || runs[1].Status != journal.Crashed || runs[1].Streams["alerts"].Received != 7 {
		t.Errorf("got %+v", runs)
	}
}

// A run that waits for a monitor has given data_dir free, and lives.
func TestARunThatIsStillTellingIsNotTakenForDead(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0") // accepts, and says nothing
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	b.env["FLASHBACK_PING_URL"] = "http://" + listener.Addr().String() + "/"
	p := b.start("sync")
	defer func() {
		_ = p.Process.Kill()
		b.end(p)
	}()
	b.until("something is published", func() bool {
		_, err := os.Stat(filepath.Join(b.data(), "state", "published.json"))
		return err == nil
	})
	delete(b.env, "FLASHBACK_PING_URL")
	b.until("the next run has its turn", func() bool { return b.run("sync").code == exit.CodeOK })
	for _, r := range b.journal() {
		if !r.Good() {
			t.Errorf("got %+v", r)
		}
	}
	if n := len(b.journal()); n != 2 {
		t.Errorf("%d runs are noted, want 2", n)
	}
}

func TestAJournalThatCannotBeWrittenChangesNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.first("")
	path := filepath.Join(b.data(), "state", "runs.jsonl")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(path, 0o750); err != nil {
		t.Fatal(err)
	}
	if r := b.must("sync"); !strings.Contains(r.stderr, "cannot be recorded") {
		t.Errorf("nobody is told: %s", r.stderr)
	}
}

// Links planted in data_dir lead nowhere: neither where they replace a record, nor
// where they replace the folder of all records.
func TestNoRecordIsWrittenThroughALink(t *testing.T) {
	t.Parallel()
	told := httptest.NewServer(http.NotFoundHandler())
	defer told.Close()
	for _, place := range []string{
		"state", "state/runs.jsonl", "state/runs.lock", "state/progress.json", "state/.progress.json.tmp-",
		"state/alarms.json", "state/alarms.lock",
	} {
		b := newBench(t)
		b.configure(oneStream)
		b.env["FLASHBACK_WEBHOOK_URL"] = told.URL
		outside := t.TempDir()
		canary, target := filepath.Join(outside, "canary"), outside
		if place != "state" {
			target = canary
			if err := os.MkdirAll(filepath.Join(b.data(), "state"), 0o750); err != nil {
				t.Fatal(err)
			}
		}
		if err := errors.Join(
			os.WriteFile(canary, []byte("someone else's"), 0o600), os.MkdirAll(b.data(), 0o750),
			os.Symlink(target, filepath.Join(b.data(), place)),
		); err != nil {
			t.Fatal(err)
		}
		b.run("sync")
		b.env["FLASHBACK_TOKEN"] = "wrong" // an alarm
		b.run("sync")
		entries, _ := os.ReadDir(outside)
		if content, _ := os.ReadFile(canary); string(content) != "someone else's" || len(entries) != 1 {
			t.Errorf("%s: the folder outside holds %v, %q", place, entries, content)
		}
	}
}

func TestTheReportIsOneFile(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.wants(exit.CodeUsage, "--out", "report")
	target := filepath.Join(b.dir, "report.html")
	b.must("report", "--out", target) // nothing is there yet, and that is what it says
	b.must("sync")
	if r := b.must("report", "--out", target); !strings.Contains(r.stdout, target) {
		t.Error(r.stdout)
	}
	content, err := os.ReadFile(target)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"<html", "Alerts", "Violations", "</html>"} {
		if !strings.Contains(string(content), want) {
			t.Errorf("%q is not in the page", want)
		}
	}
	var told struct {
		Runs     []journal.Run
		Problems []status.Problem
	}
	if err := json.Unmarshal([]byte(b.must("report", "--json").stdout), &told); err != nil || len(told.Runs) != 1 || told.Problems == nil {
		t.Errorf("got %+v, %v; want what the page shows", told, err)
	}
	b.wants(exit.CodeUsage, "no file can be written", "report", "--out", filepath.Join(b.dir, "none", "report.html"))
}

// A monitor that takes every connection and answers nothing.
func TestAMonitorThatHangsDoesNotKeepARunFromStopping(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	b := newBench(t)
	b.env["FLASHBACK_PING_URL"] = "http://" + listener.Addr().String() + "/ping"
	b.env["FLASHBACK_WEBHOOK_URL"] = "http://" + listener.Addr().String() + "/hook"
	reached := b.slowly(5)
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

func TestTracesEndpointIsAcceptedAndWarnedAbout(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.env["FLASHBACK_SYNC_TRACES_ENDPOINT"] = "http://localhost:4318"
	if r := b.must("sync"); strings.Count(r.stderr, "traces.endpoint has no effect") != 1 {
		t.Errorf("no single warning in\n%s", r.stderr)
	}
}

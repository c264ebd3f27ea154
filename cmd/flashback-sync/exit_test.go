package main

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	_ "github.com/duckdb/duckdb-go/v2"

	"github.com/flashback-sync/flashback-sync/internal/apisim"
	"github.com/flashback-sync/flashback-sync/internal/exit"
	"github.com/flashback-sync/flashback-sync/internal/run"
	"github.com/flashback-sync/flashback-sync/load"
)

func TestAMistakeIsOneClearLineAndExit2(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for _, c := range []struct {
		args []string
		text string
	}{
		{[]string{"--bogus"}, "--bogus"},
		{[]string{"sync", "--bogus"}, "--bogus"},
		{[]string{"sync", "extra"}, "extra"},
		{[]string{"bogus"}, "bogus"},
		{[]string{"sync", "--stream", "bogus"}, "bogus"},
		{[]string{"sync", "--from", "yesterday"}, "--from"},
		{[]string{"sync", "--to", "2026-99-99"}, "--to"},
		{[]string{"sync", "--from", "2026-03-18", "--to", "2026-03-17"}, "--from"},
		{[]string{"--log-level", "loud", "sync"}, "--log-level"},
		{[]string{"--log-format", "xml", "sync"}, "--log-format"},
		{[]string{"schema", "--format", "xml"}, "--format"},
		{[]string{"query"}, "arg"},
		{[]string{"query", "a", "b"}, "arg"},
		{[]string{"query", "SELECT 1", "--format", "xml"}, "--format"},
		{[]string{"completion", "bogus-shell"}, "bogus-shell"},
		{[]string{"--config", filepath.Join(b.dir, "nowhere.yaml"), "sync"}, "nowhere.yaml"},
	} {
		r := b.wants(2, c.text, c.args...)
		if lines := strings.Count(strings.TrimSpace(r.stderr), "\n") + 1; lines > 2 || r.stdout != "" || strings.Contains(r.stderr, "goroutine") {
			t.Errorf("%v: not one clear line:\n%s%s", c.args, r.stdout, r.stderr)
		}
	}
	if b.sim.RequestCount() != 0 {
		t.Error("the source was asked")
	}
	b.configure("streams:\n  alerts: {start: 2026-03-10, lookbak: 3h}\nlogs: {}\n")
	if r := b.wants(2, "lookbak", "sync"); !strings.Contains(r.stderr, "logs") || !strings.Contains(r.stderr, "4:") {
		t.Errorf("not all problems with their lines:\n%s", r.stderr)
	}
}

func TestExit3WhenSomethingIsMissing(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.configure("streams:\n  alerts: {start: 2026-03-10, policies: [no-such-policy]}\n  violations: {start: 2026-03-10}\n")
	r := b.wants(3, "no-such-policy", "sync", "--json")
	var summary run.Summary
	if err := json.Unmarshal([]byte(lastLine(r.stdout)), &summary); err != nil || summary.Status != "partial" || summary.Streams["alerts"].Error == nil {
		t.Errorf("%v, %s", err, lastLine(r.stdout))
	}
}

func TestExit0WhenAnOptionalStreamIsNotServed(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.sim.SetSemantics(apisim.Semantics{NoViolations: true})
	b.configure("streams:\n  alerts: {start: 2026-03-10}\n  violations: {start: 2026-03-10, optional: true}\n")
	b.must("sync")
}

func TestExit4WhenTheTokenIsRefused(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.sim.SetToken("another")
	r := b.wants(4, "token", "sync", "--json")
	var summary run.Summary
	if err := json.Unmarshal([]byte(lastLine(r.stdout)), &summary); err != nil || summary.Status != "failed" {
		t.Errorf("%v, %s", err, lastLine(r.stdout))
	}
	b.wants(4, "token", "check")
	b.sim.SetToken(canary)
	b.sim.Inject(apisim.Fault{Kind: apisim.FaultStatus, Status: 403, From: 4, Body: `{"success":false,"message":"` + canary + ` is not allowed"}`})
	b.wants(4, "token", "sync")
	delete(b.env, "FLASHBACK_TOKEN")
	b.wants(4, "FLASHBACK_TOKEN", "sync")
}

func TestExit5WhenTheSourceIsOfNoUse(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	remove := b.sim.Inject(apisim.Fault{Kind: apisim.FaultStatus, Status: 302, Header: http.Header{"Location": {"http://127.0.0.1:1/"}}})
	b.wants(5, "redirect", "sync")
	remove()
	remove = b.sim.Inject(apisim.Fault{Kind: apisim.FaultStatus, Status: 400, Body: `{"success":false,"message":"` + canary + `"}`})
	b.wants(5, "400", "sync")
	remove()
	asked := b.sim.RequestCount()
	selfSigned := httptest.NewTLSServer(b.sim.Handler())
	defer selfSigned.Close()
	selfSigned.Config.ErrorLog = log.New(io.Discard, "", 0)
	b.url = selfSigned.URL
	b.configure("streams:\n  alerts: {start: 2026-03-10}\n")
	b.wants(5, "base_url", "sync")
	if b.sim.RequestCount() > asked {
		t.Error("what cannot get better was tried again")
	}
}

func TestExit6WhenTheFolderCannotBeUsed(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	if err := os.WriteFile(b.data(), []byte("a file"), 0o600); err != nil {
		t.Fatal(err)
	}
	b.wants(6, "data_dir", "sync")
	b.wants(6, "", "status")
	b.wants(6, "", "query", "SELECT 1")
	if err := os.Remove(b.data()); err != nil {
		t.Fatal(err)
	}
	b.wants(6, "sync", "status") // nothing was synced yet: the hint says what to do
	if err := os.Mkdir(b.data(), 0o500); err != nil {
		t.Fatal(err)
	}
	if probe := filepath.Join(b.data(), "probe"); os.WriteFile(probe, nil, 0o600) == nil {
		_ = os.Remove(probe)
		t.Log("this user may write into read-only folders")
	} else {
		b.wants(6, "data_dir", "sync")
	}
	if b.sim.RequestCount() != 0 {
		t.Error("the source was asked first")
	}
}

func TestExit7WhenAnotherInstanceRuns(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	other, err := load.Open(context.Background(), load.Options{Dir: b.data()})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Close() }()
	b.wants(7, "another instance", "sync")
	p := b.start("sync")
	if r := b.end(p); r.code != 7 {
		t.Errorf("exit %d:\n%s", r.code, r.stderr)
	}
	if b.sim.RequestCount() != 0 {
		t.Error("the source was asked")
	}
}

func TestExit8WhenTheWarehouseIsNotOurs(t *testing.T) {
	t.Parallel()
	foreign := func(path, statement string) error {
		db, err := sql.Open("duckdb", path)
		if err != nil {
			return err
		}
		_, err = db.ExecContext(context.Background(), statement)
		return errors.Join(err, db.Close())
	}
	for name, spoil := range map[string]func(path string) error{
		"garbage": func(path string) error { return os.WriteFile(path, []byte(strings.Repeat("garbage ", 4000)), 0o600) },
		"empty":   func(path string) error { return os.WriteFile(path, nil, 0o600) },
		"cut":     func(path string) error { return os.Truncate(path, 20_000) },
		"foreign": func(path string) error {
			return errors.Join(os.Remove(path), foreign(path, "CREATE TABLE theirs (x INT)"))
		},
		"newer release": func(path string) error {
			return foreign(path, "UPDATE internal.meta SET value = '999' WHERE key = 'schema_version'")
		},
		"version unknown": func(path string) error {
			return foreign(path, "UPDATE internal.meta SET value = 'x' WHERE key = 'schema_version'")
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.configure("streams:\n  alerts: {start: 2026-03-17}\n")
			b.first("")
			asked := b.sim.RequestCount()
			path := load.File(b.data())
			if err := spoil(path); err != nil {
				t.Fatal(err)
			}
			before, _ := os.ReadFile(path)
			b.wants(8, "warehouse.duckdb", "sync")
			if after, _ := os.ReadFile(path); string(after) != string(before) {
				t.Error("the file was changed")
			}
			if b.sim.RequestCount() != asked {
				t.Error("the source was asked")
			}
			b.must("status") // readers are not concerned
		})
	}
}

// The real errors of DuckDB and of the system.
func TestHintsOfRealFiles(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.first("")
	published := filepath.Join(b.data(), "flashback.duckdb")
	if err := os.Remove(published); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(published, []byte(strings.Repeat("no database at all. ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	b.wants(exit.CodeStorage, "'flashback-sync repair' publishes it again", "status")
	b.wants(exit.CodeStorage, "'flashback-sync repair' publishes it again", "query", "SELECT 1")
}

// A mistake of ours ends the program with 1, and its trace tells no secret.
func TestExit1AfterAPanic(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	env := func(name string) (string, bool) {
		if name == "FLASHBACK_TOKEN" {
			panic("Ada Lovelace, " + canary)
		}
		return "", false
	}
	var stdout, stderr bytes.Buffer
	code := execute(context.Background(), []string{"--config", b.config, "check"}, env, &stdout, &stderr)
	if code != exit.CodeOther || !strings.Contains(stderr.String(), "internal error: a panic with a string") || strings.Contains(stderr.String(), "Lovelace") || strings.Contains(stderr.String(), canary) {
		t.Errorf("exit %d\n%s", code, stderr.String())
	}
}

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/flashback-sync/flashback-sync/internal/apisim"
	"github.com/flashback-sync/flashback-sync/internal/erasure"
	"github.com/flashback-sync/flashback-sync/internal/exit"
	"github.com/flashback-sync/flashback-sync/internal/forgotten"
	"github.com/flashback-sync/flashback-sync/load"
)

const (
	goneID   = "u-<gone>'%\"; DROP"
	goneName = "Maria Gone"
	withKey  = "privacy: {key_env: PRIVACY_KEY}\n" + streamsConfig
)

// addGone adds rows of a person to the source, and rows of others that mention her.
func (b *bench) addGone() {
	at := noon.Add(-30 * time.Hour).Truncate(time.Minute)
	id, _ := json.Marshal(goneID)
	for i, stream := range []apisim.Stream{apisim.Alerts, apisim.Violations} {
		text := []string{"message", "explanation"}[i]
		for k, row := range []string{
			fmt.Sprintf(`"userId":%s,"userName":%q,%q:"of %s","Maria_Gone":"x"`, id, goneName, text, goneName),
			fmt.Sprintf(`"userId":"u-other","userName":"Otto",%q:"of maria gone"`, text),
			fmt.Sprintf(`"userId":%s,"userName":%q,"severity":5,"block":"x","llmType":7`, id, goneName),
		} {
			when := at.Add(time.Duration(10*i+k) * time.Minute)
			b.sim.AddRaw(stream, when, fmt.Sprintf(`{"id":"g%d-%d","timestamp":%q,%s}`, i, k, when.UTC().Format(time.RFC3339), row))
		}
	}
}

// nothingOfHer searches the folder and texts.
func (b *bench) nothingOfHer(texts ...string) {
	b.t.Helper()
	proof, err := erasure.Search(b.t.(*testing.T).Context(), b.data(), []erasure.Needle{{Label: "id", Text: goneID}, {Label: "name", Text: goneName}})
	if err != nil || !proof.Clean() {
		b.t.Errorf("%v: %+v", err, proof)
	}
	for _, text := range texts {
		if lower := strings.ToLower(text); strings.Contains(lower, "maria") || strings.Contains(lower, "gone>") {
			b.t.Errorf("she is in: %s", text)
		}
	}
}

func (b *bench) withInput(input string, args ...string) result {
	b.t.Helper()
	a := &app{env: func(name string) (string, bool) { v, ok := b.env[name]; return v, ok }}
	var stdout, stderr bytes.Buffer
	a.stdout, a.stderr = &stdout, &stderr
	root := a.command()
	root.SetArgs(append([]string{"--config", b.config}, args...))
	root.SetIn(strings.NewReader(input))
	err := root.ExecuteContext(b.t.(*testing.T).Context())
	return result{exit.Code(b.t.(*testing.T).Context(), err), stdout.String(), stderr.String()}
}

func TestForgetFromTheCommandLine(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	told := newReceiver(t)
	b.env["FLASHBACK_PING_URL"], b.env["FLASHBACK_WEBHOOK_URL"] = told.URL+"/ping", told.URL+"/hook"
	b.env["FLASHBACK_SYNC_METRICS_TEXTFILE"] = filepath.Join(b.dir, "metrics.prom")
	b.addGone()
	b.must("sync")
	b.wants(2, "needs a privacy key", "forget", "--user", goneID)
	b.env["PRIVACY_KEY"] = "a key that is long enough"
	b.configure(withKey)
	b.wants(2, "say who", "forget", "--yes")
	b.wants(2, "not empty", "forget", "--user", " ")
	before := b.must("forget", "--user", goneID, "--report", filepath.Join(b.dir, "preview.html"))
	if !strings.Contains(before.stdout, "Nothing was changed") {
		t.Error(before.stdout)
	}
	if list, err := forgotten.Read(b.data()); err != nil || len(list.Entries) > 0 {
		t.Errorf("%v: %+v", err, list)
	}
	report := filepath.Join(b.dir, "proof.html")
	done := b.withInput(goneID+"\nMaria Mustermann\n", "forget", "--user", "-", "--yes", "--json", "--report", report)
	var erased forgotten.Erased
	if err := json.Unmarshal([]byte(done.stdout), &erased); err != nil || done.code != 0 {
		t.Fatalf("exit %d, %v: %s%s", done.code, err, done.stdout, done.stderr)
	}
	if erased.Rows["alerts"] == 0 || erased.Texts["alerts"] != 1 || erased.Rejects == 0 || erased.Names != 2 || !erased.Proof.Clean() || erased.Proof.Values == 0 {
		t.Errorf("%+v, %+v", erased, erased.Proof)
	}
	page, err := os.ReadFile(report)
	if err != nil || !strings.Contains(string(page), erased.Tombstone.Hash) {
		t.Errorf("%v: %s", err, page)
	}
	listed, again := b.must("forget", "--list"), b.must("sync", "--log-level", "trace")
	verified := b.must("verify")
	_, sent := told.all()
	metrics, _ := os.ReadFile(filepath.Join(b.dir, "metrics.prom"))
	b.nothingOfHer(before.stdout+before.stderr, done.stdout+done.stderr, string(page), listed.stdout, again.stdout+again.stderr, verified.stdout, sent, string(metrics))
	b.env["PRIVACY_KEY"] = "another key that is long enough"
	b.wants(2, "would be stored again", "sync")
	delete(b.env, "PRIVACY_KEY")
	b.configure(streamsConfig)
	b.wants(2, "would be stored again", "sync")
	b.wants(2, "would be stored again", "verify")
}

// A forget that is killed once it is decided is completed by the next run, whatever it is.
func TestForgetIsCompletedAfterAKill(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.env["PRIVACY_KEY"] = "a key that is long enough"
	b.configure(withKey)
	b.addGone()
	b.must("sync")
	kept := filepath.Join(b.dir, "kept")
	if err := os.CopyFS(kept, os.DirFS(b.data())); err != nil {
		t.Fatal(err)
	}
	for step, next := range map[string]string{forgotten.Path: "sync", load.Unpublished: "repair"} { // torture kills at every step
		if err := errors.Join(os.RemoveAll(b.data()), os.CopyFS(b.data(), os.DirFS(kept))); err != nil {
			t.Fatal(err)
		}
		p := b.start("forget", "--user", goneID, "--yes")
		await(t, filepath.Join(b.data(), filepath.FromSlash(step)))
		_ = p.Process.Kill()
		killed := b.end(p)
		list, err := forgotten.Read(b.data())
		if err != nil || killed.code == 0 || len(list.Entries) != 1 || len(list.Entries[0].Sealed) == 0 {
			t.Fatalf("killed at %s: exit %d, %v, %+v", step, killed.code, err, list)
		}
		r := b.must(next)
		b.nothingOfHer(killed.stdout+killed.stderr, r.stdout+r.stderr)
		if list, err = forgotten.Read(b.data()); err != nil || list.Entries[0].ProvenAt.IsZero() || len(list.Entries[0].Sealed) > 0 {
			t.Errorf("it is not proven: %v, %+v", err, list)
		}
	}
	b.must("verify", "--full")
}

// await waits until a file exists.
func await(t *testing.T, path string) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		if _, err := os.Lstat(path); err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s did not appear", filepath.Base(path))
		}
	}
}

func TestTwoForgetsAtOnce(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.env["PRIVACY_KEY"] = "a key that is long enough"
	b.configure(withKey)
	b.addGone()
	b.must("sync")
	first, second := b.start("forget", "--user", goneID, "--yes"), b.start("forget", "--user", "u-other", "--yes")
	codes := fmt.Sprint(b.end(first).code, b.end(second).code)
	if codes != "0 7" && codes != "7 0" && codes != "0 0" {
		t.Errorf("exit codes %s", codes)
	}
	b.must("forget", "--user", goneID, "--yes")
	b.nothingOfHer()
}

func TestSuppressKeepsHistory(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.env["PRIVACY_KEY"] = "a key that is long enough"
	b.configure(withKey)
	b.addGone()
	b.must("sync")
	before := b.private("SELECT count(*) FROM alerts WHERE user_name = '" + goneName + "'")
	b.must("suppress", "--user", goneID)
	b.must("suppress", "--user", goneID)
	r := b.must("sync")
	if after := b.private("SELECT count(*) FROM alerts WHERE user_name = '" + goneName + "'"); after != before || before == 0 {
		t.Errorf("%d rows, were %d", after, before)
	}
	if listed := b.must("forget", "--list"); strings.Count(listed.stdout, "suppressed") != 1 {
		t.Errorf("%s%s", listed.stdout, r.stderr)
	}
	b.must("verify")
	b.must("forget", "--user", goneID, "--yes")
	b.must("sync")
	b.must("verify")
	b.nothingOfHer()
}

func TestForgetDays(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.must("sync")
	aside := filepath.Join(b.data(), "state", "warehouse.duckdb.before-20240101T000000.000000000Z")
	if err := os.WriteFile(aside, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	old := "SELECT count(*) FROM alerts WHERE timestamp < '2026-03-16'"
	if b.private(old) == 0 {
		t.Fatal("there is nothing to forget")
	}
	b.wants(2, "not a time", "forget", "--before", "soon")
	b.wants(2, "has not begun", "forget", "--before", "2226-01-01")
	b.must("forget", "--before", "2026-03-16")
	if b.private(old) == 0 {
		t.Error("the preview erased something")
	}
	b.must("forget", "--before", "2026-03-16", "--yes")
	if n := b.private(old); n > 0 {
		t.Errorf("%d rows are left", n)
	}
	if _, err := os.Stat(aside); err == nil {
		t.Error("the file that was set aside is there")
	}
	b.must("sync")
	if n := b.private(old); n > 0 {
		t.Errorf("%d rows came back", n)
	}
	b.must("verify")
}

package notify

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/flashback-sync/flashback-sync/checkpoints"
	"github.com/flashback-sync/flashback-sync/internal/journal"
	"github.com/flashback-sync/flashback-sync/internal/status"
)

// step is a run, or a look, and what the webhook gets: the beginning of
// its text, or nothing.
type step struct {
	job, status string
	hours       float64
	want        string
}

func TestAJobIsReportedWhenItChanges(t *testing.T) {
	const ok, partial, bad, crashed, stopped, skipped = journal.OK, journal.Partial, journal.Failed, journal.Crashed, journal.Interrupted, journal.Skipped
	for name, steps := range map[string][]step{
		"a good job reports nothing": {{"sync", ok, 0, ""}, {"sync", ok, 24, ""}},
		"failure and recovery":       {{"sync", bad, 0, "the job sync failed"}, {"sync", ok, 1, "the job sync is good again"}, {"sync", ok, 2, ""}},
		"a failure that lasts":       {{"sync", bad, 0, "the job sync failed at"}, {"sync", bad, 1, ""}, {"sync", bad, 22, ""}, {"sync", bad, 23.9, "the job sync failed again"}, {"sync", bad, 25, ""}},
		"partial after failed":       {{"sync", bad, 0, "the job sync failed"}, {"sync", partial, 1, ""}, {"sync", bad, 2, ""}, {"sync", ok, 3, "the job sync is good"}},
		"crashed":                    {{"sync", crashed, 0, "the job sync was killed or crashed"}, {"sync", ok, 1, "the job sync is good"}},
		"partial":                    {{"sync", partial, 0, "the job sync was not complete"}, {"sync", bad, 1, ""}},
		"stopped and skipped change nothing": {
			{"sync", stopped, 0, ""},
			{"sync", bad, 1, "the job sync failed"},
			{"sync", stopped, 2, ""},
			{"sync", skipped, 30, ""},
			{"sync", ok, 31, "the job sync is good"},
		},
		"jobs are independent": {{"alerts", bad, 0, "the job alerts failed"}, {"verify", bad, 1, "the job verify failed"}, {"alerts", ok, 2, "the job alerts is good"}, {"verify", bad, 3, ""}},
		"a run of all streams ends what was wrong with those of one": {
			{"violations", bad, 0, "the job violations failed"},
			{"sync", partial, 1, "the job sync was not complete"},
			{"sync", ok, 2, "the job sync is good again, it was not since 2026-03-01 13:00 UTC.\nflashback-sync: the job violations is good again, it was not since 2026-03-01 12:00 UTC."},
			{"sync", ok, 3, ""},
		},
		"a run of the others does not": {{"alerts", bad, 0, "the job alerts failed"}, {"sync", ok, 1, ""}, {"alerts", ok, 2, "the job alerts is good"}},
		"a clock that goes back":       {{"sync", bad, 48, "the job sync failed at"}, {"sync", bad, 0, "the job sync failed again"}, {"sync", bad, 1, ""}},
	} {
		t.Run(name, func(t *testing.T) {
			hook, dir := listen(t, nil), dataDir(t)
			for i, s := range steps {
				a := notifier(s.hours, Options{DataDir: dir, WebhookURL: hook.URL}) // each run is a process
				ended := run(s.job, s.status, s.hours)
				if ended.Streams = map[string]journal.Stream{s.job: {}}; s.job == "sync" {
					ended.Streams = map[string]journal.Stream{"violations": {}, "policy_stats": {}}
				}
				if err := a.ended(context.Background(), ended); err != nil {
					t.Fatal(err)
				}
				receives(t, i, hook, s.want)
			}
		})
	}
}

// receives checks that the webhook got one message that has the text, or none.
func receives(t *testing.T, i int, hook *receiver, want string) {
	t.Helper()
	got := hook.got()
	if want == "" && len(got) == 0 {
		return
	}
	var m message
	if len(got) != 1 || json.Unmarshal([]byte(got[0].body), &m) != nil || want == "" || !strings.Contains(m.Text, want) {
		t.Errorf("step %d: the webhook got %v, want %q", i, got, want)
	}
}

// lagging is a status at so many hours whose streams lag, and may by 36 hours.
func lagging(hours float64, lags map[string]time.Duration) *status.Status {
	s := &status.Status{At: at(hours), StaleAfter: 36 * time.Hour, Holdings: &status.Holdings{}}
	for _, name := range []string{"alerts", "violations", "policy_stats"} {
		lag, stored := lags[name]
		if !stored {
			continue
		}
		stream := status.Stream{Name: name}
		if lag >= 0 { // else it was never read
			stream.Lanes = []status.Lane{{Filter: "{}", Covered: checkpoints.Set{{From: at(-1000), To: s.At.Add(-lag)}}}}
		}
		s.Holdings.Streams = append(s.Holdings.Streams, stream)
	}
	return s
}

func TestAStreamIsReportedWhenItLags(t *testing.T) {
	hook, dir := listen(t, nil), dataDir(t)
	for i, s := range []struct {
		hours              float64
		alerts, violations time.Duration
		want               string
	}{
		{0, time.Hour, 36 * time.Hour, ""}, // at the limit
		{1, -1, -1, ""},
		{2, 2 * time.Hour, 37 * time.Hour, "the stream violations is stale"},
		{3, 37 * time.Hour, 38 * time.Hour, "the stream alerts is stale"},
		{4, 38 * time.Hour, -1, ""}, // what is not known changes nothing
		{24, 58 * time.Hour, 59 * time.Hour, ""},
		{26.5, 0, 61 * time.Hour, "the stream alerts is fresh again, it was stale since 2026-03-01 14:00 UTC.\nflashback-sync: the stream violations is still stale"},
		{27, time.Hour, 0, "the stream violations is fresh again"},
		{28, time.Hour, 0, ""},
	} {
		a := notifier(s.hours, Options{DataDir: dir, WebhookURL: hook.URL})
		if err := a.check(context.Background(), lagging(s.hours, map[string]time.Duration{"alerts": s.alerts, "violations": s.violations})); err != nil {
			t.Fatal(err)
		}
		receives(t, i, hook, s.want)
	}
}

func TestAStreamThatWasNeverCompleteIsReported(t *testing.T) {
	hook, dir := listen(t, nil), dataDir(t)
	s := lagging(50, map[string]time.Duration{"alerts": -1})
	s.Holdings.Streams[0].Rows = 1
	s.Runs = []journal.Run{{Command: "sync", Job: "sync", StartedAt: at(1), Streams: map[string]journal.Stream{"alerts": {Served: true}}}}
	a := notifier(50, Options{DataDir: dir, WebhookURL: hook.URL})
	if err := a.check(context.Background(), s); err != nil {
		t.Fatal(err)
	}
	receives(t, 0, hook, "it was never read completely, and its runs began at 2026-03-01 13:00 UTC")
}

func TestStreamsThatAreNoLongerSyncedAreForgotten(t *testing.T) {
	hook, dir := listen(t, nil), dataDir(t)
	look := func(streams ...string) {
		t.Helper()
		a := notifier(0, Options{DataDir: dir, WebhookURL: hook.URL, Streams: streams})
		s := lagging(0, map[string]time.Duration{"alerts": 0, "violations": 2 * time.Hour})
		s.StaleAfter = time.Hour
		if err := a.check(context.Background(), s); err != nil {
			t.Fatal(err)
		}
	}
	look("alerts")
	receives(t, 0, hook, "")
	look("alerts", "violations")
	receives(t, 1, hook, "violations is stale")
	look("alerts")
	receives(t, 2, hook, "")
	if s := readState(dir); len(s.Streams) != 0 {
		t.Errorf("state %+v", s)
	}
}

func TestTheNextRunSendsWhatWasNotAccepted(t *testing.T) {
	hook, dir := listen(t, answers(503)), dataDir(t)
	end := func(r journal.Run, hours float64) error {
		return notifier(hours, Options{DataDir: dir, WebhookURL: hook.URL}).ended(context.Background(), r)
	}
	if err := end(failed(0), 0); err == nil {
		t.Error("no error")
	}
	if got := hook.got(); len(got) != tries {
		t.Errorf("%d tries", len(got))
	}
	hook.answer = nil
	if err := end(failed(1), 1); err != nil {
		t.Fatal(err)
	}
	got := hook.got()
	if len(got) != 1 || !strings.Contains(got[0].body, "failed at") {
		t.Errorf("got %v", got)
	}
	hook.answer = answers(503)
	if err := end(run("sync", journal.OK, 2), 2); err == nil {
		t.Error("no error")
	}
	hook.got()
	hook.answer = nil
	if err := end(run("sync", journal.OK, 3), 3); err != nil {
		t.Fatal(err)
	}
	receives(t, 3, hook, "is good again, it was not since 2026-03-01 12:00 UTC") // the first, not the one that was reported
}

func TestARecoveryFromAFailureNeverReportedIsNotReported(t *testing.T) {
	hook, dir := listen(t, answers(503)), dataDir(t)
	a := notifier(0, Options{DataDir: dir, WebhookURL: hook.URL})
	_ = a.ended(context.Background(), failed(0))
	hook.got()
	hook.answer = nil
	if err := a.ended(context.Background(), run("sync", journal.OK, 1)); err != nil {
		t.Fatal(err)
	}
	receives(t, 1, hook, "")
	if s := readState(dir); len(s.Jobs) != 0 {
		t.Errorf("state %+v", s)
	}
}

func TestAFailureIsReportedAlsoWhereTheStateIsLost(t *testing.T) {
	hook, dir := listen(t, nil), t.TempDir() // without the folder state
	a := notifier(0, Options{DataDir: dir, WebhookURL: hook.URL})
	if err := a.ended(context.Background(), failed(0)); err == nil {
		t.Error("no error")
	}
	receives(t, 0, hook, "the job sync failed")
	if err := a.ended(context.Background(), run("sync", journal.OK, 1)); err == nil {
		t.Error("no error")
	}
	receives(t, 1, hook, "")
	dir = dataDir(t)
	if err := os.WriteFile(filepath.Join(dir, "state", "alarms.json"), []byte(`{"jobs":{"sy`), 0o640); err != nil {
		t.Fatal(err)
	}
	if err := notifier(0, Options{DataDir: dir, WebhookURL: hook.URL}).ended(context.Background(), failed(0)); err != nil {
		t.Error(err)
	}
	receives(t, 2, hook, "the job sync failed")
}

func TestManyAtOnceNotifyOnce(t *testing.T) {
	hook, dir := listen(t, nil), dataDir(t)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if err := notifier(0, Options{DataDir: dir, WebhookURL: hook.URL}).ended(context.Background(), failed(0)); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	receives(t, 0, hook, "the job sync failed")
}

func TestTwoProcessesNotifyOnce(t *testing.T) {
	hook, dir := listen(t, nil), dataDir(t)
	var all sync.WaitGroup
	for range 2 {
		all.Go(func() {
			command := exec.CommandContext(t.Context(), os.Args[0])
			command.Env = append(os.Environ(), "ALARM_TEST_WEBHOOK="+hook.URL, "ALARM_TEST_DIR="+dir)
			if out, err := command.CombinedOutput(); err != nil {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
	all.Wait()
	receives(t, 0, hook, "the job sync failed")
}

func TestMessagesAreAsTheyWere(t *testing.T) {
	hostile := failed(0)
	hostile.Error = "GET /x: <!channel> & [click](http://evil) `code` @everyone \x1b[31m\u202e\nnext " + strings.Repeat("x", 2000)
	hostile.Hint = ""
	missing := run("verify", journal.Partial, 0)
	missing.Verdict, missing.Missing, missing.ExitCode = "missing", 3, 9
	for name, send := range map[string]func(a *Notifier) error{
		"failed":  func(a *Notifier) error { return a.ended(context.Background(), failed(0)) },
		"hostile": func(a *Notifier) error { return a.ended(context.Background(), hostile) },
		"missing": func(a *Notifier) error { return a.ended(context.Background(), missing) },
		"crashed": func(a *Notifier) error {
			crashed := run("sync", journal.Crashed, 0)
			crashed.ExitCode = -1
			return a.ended(context.Background(), crashed)
		},
		"lasting": func(a *Notifier) error {
			before := state{Jobs: wrongs{"sync": {Since: at(-49), Reported: at(-24)}}, Streams: wrongs{}}
			if err := writeState(a.options.DataDir, before); err != nil {
				return err
			}
			return a.ended(context.Background(), failed(0))
		},
		"recovered": func(a *Notifier) error {
			before := state{Jobs: wrongs{"sync": {Since: at(-49), Reported: at(-1)}}, Streams: wrongs{}}
			if err := writeState(a.options.DataDir, before); err != nil {
				return err
			}
			return a.ended(context.Background(), run("sync", journal.OK, 0))
		},
		"stale": func(a *Notifier) error {
			return a.check(context.Background(), lagging(0, map[string]time.Duration{"alerts": 50 * time.Hour, "violations": 40 * time.Hour}))
		},
	} {
		t.Run(name, func(t *testing.T) {
			hook := listen(t, nil)
			err := send(notifier(0, Options{
				DataDir: dataDir(t), WebhookURL: hook.URL, Link: "https://status.example.com/?a=1&b=2", Host: "db<1>",
			}))
			if err != nil {
				t.Fatal(err)
			}
			got := hook.got()
			if len(got) != 1 || got[0].method != http.MethodPost || got[0].kind != "application/json" {
				t.Fatalf("got %v", got)
			}
			golden(t, name, got[0].body)
		})
	}
}

// golden compares with testdata; ALARM_GOLDEN=1 writes it anew.
func golden(t *testing.T, name, body string) {
	t.Helper()
	var out bytes.Buffer
	if err := json.Indent(&out, []byte(body), "", "  "); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	path := filepath.Join("testdata", name+".json")
	if os.Getenv("ALARM_GOLDEN") != "" {
		if err := os.WriteFile(path, out.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), out.String()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

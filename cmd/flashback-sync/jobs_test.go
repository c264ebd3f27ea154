package main

import (
	"io"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"

	"github.com/flashback-sync/flashback-sync/internal/serve"
)

func (b *bench) settings() (serve.Settings, error) {
	b.t.Helper()
	a := &app{env: os.LookupEnv, stdout: io.Discard, stderr: io.Discard, configPath: b.config}
	c, err := a.load()
	if err != nil {
		return serve.Settings{}, err
	}
	return a.serveSettings(b.t.Context(), c, zerolog.Nop())
}

func TestServeRefusesABadConfiguration(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for name, rest := range map[string]string{
		"no address to ping":   "alarms: {stale_after: 1h, ping_url_file: /none}\n",
		"no such time zone":    "schedule: {sync: '@every 2h', timezone: Atlantis}\n",
		"a second bad address": "schedule: {verify: '@every 9h'}\nalarms: {webhook_url_file: /none}\n",
	} {
		b.configure(streamsConfig + rest)
		if _, err := b.settings(); err == nil {
			t.Errorf("%s: it is accepted", name)
		}
	}
}

func TestServeVerifiesByDefault(t *testing.T) {
	t.Parallel()
	for rest, want := range map[string]int{"": 2, "schedule: {verify: off}\n": 1} {
		b := newBench(t)
		b.configure(streamsConfig + rest)
		s, err := b.settings()
		if err != nil {
			t.Fatal(err)
		}
		if jobs := s.Jobs; len(jobs) != want || want == 2 && jobs[1].Name != jobVerify {
			t.Errorf("%q: the jobs are %+v", rest, jobs)
		}
	}
}

// A stream with a schedule of its own is not synced with the others.
func TestEachStreamHasOneJob(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.configure(streamsConfig + "schedule: {violations: '@every 2h', verify: off}\n")
	s, err := b.settings()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, job := range s.Jobs {
		got = append(got, strings.Join(job.Arguments, " "))
	}
	want := []string{
		"sync --json --stream alerts --stream policy_stats --job sync --config " + b.config,
		"sync --json --stream violations --job violations --config " + b.config,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

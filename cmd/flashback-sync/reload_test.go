package main

import (
	"io"
	"os"
	"testing"
)

// A configuration is taken whole or not at all.
func TestAReloadThatFailsChangesNothing(t *testing.T) {
	b := newBench(t)
	b.configure(streamsConfig + "schedule: {sync: '@every 1h'}\nalarms: {stale_after: 36h}\n")
	a := &app{env: os.LookupEnv, stdout: io.Discard, stderr: io.Discard, configPath: b.config}
	c, err := a.load()
	if err != nil {
		t.Fatal(err)
	}
	s, err := lockedServer(a, c)
	if err != nil {
		t.Fatal(err)
	}
	for name, rest := range map[string]string{
		"no address to ping":   "schedule: {sync: '@every 2h'}\nalarms: {stale_after: 1h, ping_url_file: /none}\n",
		"no such time zone":    "schedule: {sync: '@every 2h', timezone: Atlantis}\nalarms: {stale_after: 1h}\n",
		"a second bad address": "schedule: {sync: '@every 2h', verify: '@every 9h'}\nalarms: {webhook_url_file: /none}\n",
	} {
		b.configure(streamsConfig + rest)
		if s.reload() == nil {
			t.Errorf("%s: it is accepted", name)
		}
		now, _ := s.present()
		if jobs := s.jobs(); now != c || len(jobs) != 2 || jobs[0].Schedule != "@every 1h" {
			t.Errorf("%s: stale_after is %v, the jobs are %+v", name, now.Alarms.StaleAfter, jobs)
		}
	}
	b.configure(streamsConfig + "schedule: {sync: '@every 2h'}\nalarms: {stale_after: 1h}\n")
	if err := s.reload(); err != nil {
		t.Fatal(err)
	}
	if now, _ := s.present(); now == c || s.jobs()[0].Schedule != "@every 2h" {
		t.Errorf("a good configuration is not taken: %+v", s.jobs())
	}
}

func TestServeVerifiesWithoutBeingAsked(t *testing.T) {
	for rest, want := range map[string]int{"": 2, "schedule: {verify: off}\n": 1} {
		b := newBench(t)
		b.configure(streamsConfig + rest)
		a := &app{env: os.LookupEnv, stdout: io.Discard, stderr: io.Discard, configPath: b.config}
		c, err := a.load()
		if err != nil {
			t.Fatal(err)
		}
		s, err := lockedServer(a, c)
		if err != nil {
			t.Fatal(err)
		}
		if jobs := s.jobs(); len(jobs) != want || want == 2 && (jobs[1].Name != jobVerify || jobs[1].Schedule != c.Schedule.Verify) {
			t.Errorf("%q: the jobs are %+v", rest, jobs)
		}
	}
}

package status

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/flashback-sync/flashback-sync/checkpoints"
	"github.com/flashback-sync/flashback-sync/internal/journal"
)

func at(hours float64) time.Time { return noon.Add(-time.Duration(hours * float64(time.Hour))) }

// between is from so many hours ago to so many.
func between(from, to float64) checkpoints.Interval {
	return checkpoints.Interval{From: at(from), To: at(to)}
}

func ended(job, outcome string, hours float64) journal.Run {
	to := at(hours)
	return journal.Run{
		Command: "sync", Job: job, Status: outcome, StartedAt: at(hours), FinishedAt: at(hours),
		Streams: map[string]journal.Stream{"alerts": {Complete: outcome == journal.OK, Served: true, To: &to}},
	}
}

func well() *Status {
	return &Status{
		At: noon, StaleAfter: 36 * time.Hour,
		Holdings: &Holdings{Streams: []Stream{{Name: "alerts", Rows: 1, Lookback: 48 * time.Hour, Lanes: []Lane{{
			Covered: checkpoints.Set{{From: at(1000), To: at(10)}},
		}}}}},
		Journal: journal.Journal{Runs: []journal.Run{ended("sync", journal.OK, 10)}},
	}
}

func TestProblems(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*Status)
		level  Level
		text   string // of the gravest
	}{
		{"all is well", func(*Status) {}, "", ""},
		{"failed", func(s *Status) { s.Runs = append([]journal.Run{ended("sync", journal.Failed, 1)}, s.Runs...) }, Bad, "the last run failed (1 h ago)"},
		{"crashed", func(s *Status) { s.Runs = append([]journal.Run{ended("sync", journal.Crashed, 1)}, s.Runs...) }, Bad, "the last run was killed (out of memory, kill -9 or power loss)"},
		{"partial", func(s *Status) { s.Runs = append([]journal.Run{ended("sync", journal.Partial, 1)}, s.Runs...) }, Warn, "the last run is not complete"},
		{"recovered", func(s *Status) {
			s.Runs = []journal.Run{ended("sync", journal.OK, 1), ended("sync", journal.Failed, 2)}
		}, "", ""},
		{"skipped and stopped runs say nothing", func(s *Status) {
			s.Runs = append([]journal.Run{ended("sync", journal.Skipped, 1), ended("sync", journal.Interrupted, 2)}, s.Runs...)
		}, "", ""},
		{"another job's success fixes nothing", func(s *Status) {
			s.Runs = []journal.Run{ended("alerts", journal.OK, 1), ended("sync", journal.Failed, 2)}
		}, Bad, "the last run failed (2 h ago)"},
		{"a run of all streams fixes that of one", func(s *Status) {
			s.Runs = []journal.Run{ended("sync", journal.OK, 1), ended("alerts", journal.Failed, 2)}
		}, "", ""},
		{"one of the others does not", func(s *Status) {
			s.Runs = []journal.Run{ended("sync", journal.OK, 1), ended("violations", journal.Failed, 2)}
		}, Bad, "the last run failed (2 h ago)"},
		{"a run by hand is nobody's job", func(s *Status) { s.Runs = append([]journal.Run{ended("", journal.Failed, 1)}, s.Runs...) }, "", ""},
		{"stale", func(s *Status) {
			s.Runs[0] = ended("sync", journal.OK, 40)
			s.Holdings.Streams[0].Lanes[0].Covered = checkpoints.Set{between(1000, 40)}
		}, Bad, "it lags 1 d 16 h behind, more than 1 d 12 h"},
		{"stale, and no longer synced", func(s *Status) {
			s.Runs[0] = ended("sync", journal.OK, 40)
			s.Holdings.Streams[0].Retired = true
			s.Holdings.Streams[0].Lanes[0].Covered = checkpoints.Set{between(100, 90), between(80, 50)}
		}, "", ""},
		{"nobody minds", func(s *Status) { s.Runs[0], s.StaleAfter = ended("sync", journal.OK, 4000), 0 }, "", ""},
		{"missing rows", func(s *Status) {
			v := journal.Run{Command: "verify", Job: "verify", Status: journal.Partial, Verdict: "differs", Missing: 3, FinishedAt: at(1)}
			s.Runs = append([]journal.Run{v}, s.Runs...)
		}, Bad, "3 missing rows"},
		{"rows deleted at the source", func(s *Status) {
			v := journal.Run{Command: "verify", Job: "verify", Status: journal.OK, Verdict: "extra", FinishedAt: at(1)}
			s.Runs = append([]journal.Run{v}, s.Runs...)
		}, Note, "no longer lists"},
		{"a gap", func(s *Status) {
			s.Holdings.Streams[0].Lanes[0].Covered = checkpoints.Set{between(100, 90), between(80, 10)}
		}, Warn, "1 gap in what is covered"},
		{"old rejects", func(s *Status) { s.Holdings.Streams[0].Rejected = 2 }, Note, "2 records in quarantine"},
		{"new rejects", func(s *Status) {
			s.Holdings.Streams[0].Rejected = 2
			s.Runs[0].Streams["alerts"] = journal.Stream{Complete: true, Rejected: 1, To: &s.Runs[0].FinishedAt}
		}, Warn, "2 records in quarantine"},
		{"late rows", func(s *Status) { s.Holdings.Streams[0].Lateness = &Lateness{Rows: 1, Max: 20 * time.Hour} }, Warn, "up to 20 h late, which nears the lookback of 2 d"},
		{"dead", func(s *Status) { s.Progress = &journal.Progress{Command: "sync", UpdatedAt: at(1)} }, Bad, "the last run was killed 1 h ago (out of memory, kill -9 or power loss)"},
		{"alive", func(s *Status) { s.Progress = &journal.Progress{Command: "sync", UpdatedAt: noon} }, "", ""},
		{"unreadable", func(s *Status) { s.HoldingsError = "no such thing" }, Bad, "cannot be read: no such thing"},
		{"nothing yet", func(s *Status) { s.Holdings, s.Runs = nil, nil }, Warn, "nothing is published yet"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := well()
			test.change(s)
			problems := s.Problems()
			if test.level == "" && len(problems) == 0 {
				return
			}
			if len(problems) == 0 || problems[0].Level != test.level || !strings.Contains(problems[0].Text, test.text) {
				t.Errorf("got %+v, want %s: %q", problems, test.level, test.text)
			}
		})
	}
}

func TestAProposedLookbackIsAsTheConfigurationTakesIt(t *testing.T) {
	s := well()
	s.Holdings.Streams[0].Lateness = &Lateness{Rows: 1, Max: 20 * time.Hour}
	if got := s.Problems()[0].Hint; got != "set streams.alerts.lookback to 80h" {
		t.Error(got)
	}
}

func TestAGapIsWhatIsNeitherCoveredNorLost(t *testing.T) {
	for _, test := range []struct{ covered, lost, want checkpoints.Set }{
		{want: nil},
		{covered: checkpoints.Set{between(90, 50)}, lost: checkpoints.Set{between(99, 95)}, want: nil},
		{covered: checkpoints.Set{between(90, 50), between(40, 10)}, want: checkpoints.Set{between(50, 40)}},
		{covered: checkpoints.Set{between(90, 50), between(40, 10)}, lost: checkpoints.Set{between(50, 40)}, want: nil},
		{covered: checkpoints.Set{between(90, 50), between(40, 10)}, lost: checkpoints.Set{between(48, 45)}, want: checkpoints.Set{between(50, 48), between(45, 40)}},
	} {
		if got := (&Lane{Covered: test.covered, Lost: test.lost}).Gaps(); !slices.Equal(got, test.want) {
			t.Errorf("covered %v, lost %v: gaps %v, want %v", test.covered, test.lost, got, test.want)
		}
	}
}

// A stream is as fresh as the least of the queries that the configuration names.
func TestFreshnessIsTheLeastOfAllConfiguredQueries(t *testing.T) {
	lane := func(filter string, covered ...checkpoints.Interval) Lane {
		return Lane{Filter: filter, Covered: covered}
	}
	org, repo := `{"scope":"org","bucket":"1h"}`, `{"scope":"repo","id":"r","bucket":"1h"}`
	for name, test := range map[string]struct {
		wanted journal.Wanted
		lanes  []Lane
		run    *journal.Run // the last, 2 h ago
		want   float64      // hours; -1: never complete
	}{
		"each":                     {journal.Wanted{Filters: []string{"p", "q"}}, []Lane{lane("p", between(90, 5)), lane("q", between(90, 7))}, nil, 7},
		"one not covered":          {journal.Wanted{Filters: []string{"p", "q"}}, []Lane{lane("p", between(90, 5))}, nil, -1},
		"one no longer wanted":     {journal.Wanted{Filters: []string{"p"}}, []Lane{lane("p", between(90, 5)), lane("q", between(90, 80))}, nil, 5},
		"not from its start":       {journal.Wanted{Filters: []string{"p"}, Start: at(95)}, []Lane{lane("p", between(90, 5))}, nil, -1},
		"a gap before its start":   {journal.Wanted{Filters: []string{"p"}, Start: at(80)}, []Lane{lane("p", between(95, 90), between(85, 5))}, nil, 5},
		"an automatic one":         {journal.Wanted{Filters: []string{org}, Auto: []string{`{"scope":"repo","bucket":"1h"}`}}, []Lane{lane(org, between(90, 5)), lane(repo, between(90, 9))}, nil, 9},
		"of another bucket":        {journal.Wanted{Filters: []string{org}, Auto: []string{`{"scope":"repo","bucket":"1d"}`}}, []Lane{lane(org, between(90, 5)), lane(repo, between(90, 9))}, nil, 5},
		"a run since renews it":    {journal.Wanted{Filters: []string{"p"}}, []Lane{lane("p", between(90, 5))}, &journal.Run{FinishedAt: at(2)}, 2},
		"but not one of others":    {journal.Wanted{Filters: []string{"p"}, Digest: "new"}, []Lane{lane("p", between(90, 5))}, &journal.Run{FinishedAt: at(2)}, 5},
		"nor what never was whole": {journal.Wanted{Filters: []string{"p", "q"}}, []Lane{lane("p", between(90, 5))}, &journal.Run{FinishedAt: at(2)}, -1},
		"nor one before":           {journal.Wanted{Filters: []string{"p"}}, []Lane{lane("p", between(90, 5))}, &journal.Run{FinishedAt: at(4)}, 5},
	} {
		digest := test.wanted.Digest
		if test.wanted.Digest == "" {
			test.wanted.Digest = "set"
		}
		s := &Status{At: noon, Holdings: &Holdings{At: at(3), Streams: []Stream{{Name: "alerts", Wanted: test.wanted, Lanes: test.lanes}}}}
		if test.run != nil {
			to := at(2)
			test.run.Command, test.run.Job = "sync", "sync"
			test.run.Streams = map[string]journal.Stream{"alerts": {Complete: true, To: &to, Queries: "set"}}
			s.Runs = []journal.Run{*test.run}
		}
		lag, known := s.Lag("alerts")
		if known != (test.want >= 0) || known && lag.Hours() != test.want {
			t.Errorf("%s (%s): %v, %v", name, digest, lag, known)
		}
	}
}

func TestAStreamThatIsNeverCompleteBecomesStale(t *testing.T) {
	s := well()
	s.Runs = []journal.Run{ended("sync", journal.Partial, 1), ended("sync", journal.Partial, 40)}
	s.Holdings.Streams[0].Wanted = journal.Wanted{Digest: "set", Filters: []string{"p", "bogus"}}
	if !s.Stale("alerts") || s.Fresh("alerts") != nil || s.LastComplete("alerts") {
		t.Error("it was never complete, and began 40 h ago")
	}
	s.Runs = s.Runs[:1]
	if s.Stale("alerts") {
		t.Error("it began an hour ago")
	}
	if !strings.Contains(s.Problems()[1].Text, "not been read completely yet") {
		t.Errorf("%+v", s.Problems())
	}
}

func TestWhatWasCheckedIsSaidAndNoMore(t *testing.T) {
	s := &Status{At: noon}
	if got := s.Checked(); !strings.Contains(got, "No sync was ever complete. Never compared with the source") {
		t.Error(got)
	}
	s.Runs = []journal.Run{
		{Command: "verify", Job: "verify", Status: journal.OK, Verdict: "match", FinishedAt: at(1)},
		ended("sync", journal.Partial, 2), ended("sync", journal.OK, 5),
	}
	if got := s.Checked(); got != "Last complete sync: 2026-03-10 07:00 UTC. Last compared with the source, by totals of each day, with every published file: 2026-03-10 11:00 UTC, match." {
		t.Error(got)
	}
}

func TestTheFirstRunIsNotWell(t *testing.T) {
	for said, progress := range map[string]*journal.Progress{
		"the first run is under way": {Command: "sync", UpdatedAt: noon},
		"the last run was killed":    {Command: "sync", UpdatedAt: at(1)},
		"nothing is published yet":   nil,
	} {
		if all := (&Status{At: noon, Progress: progress}).Problems(); len(all) == 0 || !strings.Contains(all[0].Text, said) {
			t.Errorf("want %q: %+v", said, all)
		}
	}
}

func TestFreshness(t *testing.T) {
	s := well()
	if lag, known := s.Lag("alerts"); !known || lag != 10*time.Hour {
		t.Errorf("got %s, want that of the last complete run", lag)
	}
	narrowed := ended("sync", journal.OK, 500)
	narrowed.Job, narrowed.Command = "", "repair"
	s.Runs = append([]journal.Run{narrowed}, s.Runs...)
	if lag, known := s.Lag("alerts"); !known || lag != 10*time.Hour {
		t.Errorf("got %s, though a repair of old rows says nothing about the newest", lag)
	}
	s.Runs = []journal.Run{ended("sync", journal.Partial, 1)}
	s.Holdings.Streams[0].Lanes[0].Covered = checkpoints.Set{between(100, 90), between(5, 1)}
	if lag, known := s.Lag("alerts"); !known || lag != 90*time.Hour {
		t.Errorf("got %s, want the end of what is covered without a gap", lag)
	}
	if _, known := s.Lag("violations"); known {
		t.Error("a stream that was never read has no freshness")
	}
}

func TestWhatWasPublishedAndIsGoneIsNotAwaitedForTheFirstTime(t *testing.T) {
	s := &Status{At: time.Date(2026, 3, 18, 12, 0, 0, 0, time.UTC), Published: Published{Altered: []string{"lake/manifest.json"}}}
	for _, p := range s.Problems() {
		if strings.Contains(p.Text, "nothing is published yet") {
			t.Error(p)
		}
	}
}

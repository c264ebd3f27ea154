package page_test

import (
	"strings"
	"testing"
	"time"

	"github.com/flashback-sync/flashback-sync/internal/journal"
	"github.com/flashback-sync/flashback-sync/internal/page"
	"github.com/flashback-sync/flashback-sync/internal/status"
)

func TestPagesSayWhatIsTheMatter(t *testing.T) {
	for name, wants := range map[string][]string{
		"healthy": {
			"No problems found", "As of 2026-11-20 09:42; all times are UTC", "12 min behind", "read up to 2026-11-20 09:30", "in 3 min", "890,415", "2.6 GiB, published 12 min ago",
			"2025-11-21 to 2026-11-20: 148,995 rows. The fullest day is 2026-07-06 with 715.", "Covered from 2025-11-21 00:00 to 2026-11-20 09:30, without a gap.",
			"by 37 series, without a gap", "half of them by up to 4 min, 99% by up to 3 h 12 min, the latest by 9 h 40 min. The lookback is 2 d.",
			"2026-11-20 04:01 UTC, match.", "11.8%", "49,360", "No customer data in prompts", "no name", "all others", "3 × 429, 3 sent again after waiting 6 s", "20 older runs not shown",
		},
		"troubled": {
			"5 things need action, 3 things to look at", "Needs action alerts", "The last run failed", "'flashback-sync repair' fetches what is missing", "41 rows",
			"with 2 gaps: the longest 12 d, from 2026-06-21 00:00 to 2026-07-03 00:00", "set 2: block true; host chat.example.com, ide.example.com", "The source can no longer give 1 time range",
			"312 in quarantine", "timestamp: not a time 290", "The last run was killed", "It was process 4211", "5 slots of alerts skipped, 2026-11-20 06:30 to 2026-11-20 07:30; another job was running",
			"Answers: 2 × 200, 5 × 503, 1 × no answer, 5 sent again after waiting 1 min 50 s", "The same error as above.", "exit 143", "Ada Lovelace", "12 days without any",
		},
		"empty":      {"Nothing has been synced yet", "Nothing is published yet. The first complete run publishes.", "There are no rows yet.", "No run yet.", "none yet", "@every 15m Europe/Berlin"},
		"first run":  {"The first run is in progress", "61,200 of 411,870 rows · 633 requests", "14.9%", "1 min ago", "waiting"},
		"running":    {"No problems found", "A run is in progress", "running; then", "waiting for another job; then"},
		"unreadable": {"1 thing needs action", "What is published cannot be read: open /data/flashback.duckdb: permission denied", "otherwise 'flashback-sync repair' publishes it again", "so nothing can be said about it"},
		"one day":    {"No row is stored.", "Nothing is covered yet.", "2026-11-20: 426 rows. The fullest day is 2026-11-20 with 426.", "The newest 1 run, the oldest first: 1 ok."},
		"ten years":  {"Rows per month", "Violations by severity, per month"},
		"huge":       {"9.2 quintillion", "9,223,372,036,854,775,807", "Rows per century"},
	} {
		seen := text(documents()[name+" page"].root)
		for _, want := range wants {
			if !strings.Contains(seen, want) {
				t.Errorf("%s: the page does not say %q: %.400s", name, want, seen)
			}
		}
		if name == "healthy" && (strings.Contains(seen, "People with") || strings.Contains(seen, "Problems")) {
			t.Error("people or problems are shown where there are none")
		}
	}
}

func TestVerdicts(t *testing.T) {
	died := &journal.Progress{StartedAt: now.Add(-time.Hour), UpdatedAt: now.Add(-time.Hour)}
	failed := func(jobs ...string) (all []journal.Run) {
		for _, job := range jobs {
			all = append(all, journal.Run{Job: job, Status: journal.Failed, FinishedAt: now})
		}
		return all
	}
	published := &status.Holdings{}
	for want, s := range map[string]*status.Status{
		"No problems found":                        {Holdings: published},
		"Nothing has been synced yet":              {},
		"The first run is in progress":             {Progress: progress()},
		"1 thing needs action":                     {Holdings: published, Progress: died},
		"2 things need action":                     {Holdings: published, Journal: journal.Journal{Runs: failed("sync", "alerts")}},
		"1 thing to look at":                       {Journal: journal.Journal{Runs: []journal.Run{{Job: "sync", Status: journal.OK}}}},
		"1 thing needs action, 1 thing to look at": {Journal: journal.Journal{Runs: failed("verify")}},
	} {
		s.At = now
		if document := written(t, s, page.Paused); !strings.Contains(document, "<title>"+want+" – flashback-sync</title>") {
			t.Errorf("the page is not titled %q", want)
		}
	}
}

func TestStreamsThatAreNotAwaitedAreNotStale(t *testing.T) {
	s := fortyDays()
	s.StaleAfter = 5 * time.Minute
	s.Runs = []journal.Run{{Command: "sync", Job: "sync", Status: journal.OK, Streams: map[string]journal.Stream{"alerts": {Complete: true}}}}
	s.Holdings.Streams = s.Holdings.Streams[:2]
	s.Holdings.Streams[0] = status.Stream{Name: "alerts"}
	s.Holdings.Streams[1].Retired = true
	seen := text(parsed(t, written(t, s, page.Live)))
	for _, want := range []string{"Alerts not served", "Violations no longer synced read up to", "No problems found"} {
		if !strings.Contains(seen, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if strings.Contains(seen, "stale") {
		t.Error("something is stale")
	}
}

func TestStaleStreamsStandOut(t *testing.T) {
	s := fortyDays()
	s.StaleAfter = 5 * time.Minute
	seen := text(parsed(t, written(t, s, page.Live)))
	for _, want := range []string{"3 things need action", "stale: more than 5 min", "12 min behind, stale"} {
		if !strings.Contains(seen, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
}

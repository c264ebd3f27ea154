package page_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/flashback-sync/flashback-sync/checkpoints"
	"github.com/flashback-sync/flashback-sync/internal/journal"
	"github.com/flashback-sync/flashback-sync/internal/status"
)

// now is the moment of every fixture.
var now = time.Date(2026, 11, 20, 9, 42, 17, 0, time.UTC)

const hostile = `<script>alert("1")</script>'"><img src=x onerror=alert(2)>` + "\u202e\u200f\x00\xff"

func at(t time.Time) *time.Time { return &t }

// scenarios are the states that every test looks at.
var scenarios = map[string]func() *status.Status{
	"healthy": healthy, "troubled": troubled, "empty": empty, "first run": firstRun, "running": running,
	"unreadable": unreadable, "one day": oneDay, "ten years": tenYears, "huge": huge,
	"hostile": func() *status.Status { return manySeries(strange(hostile, 40)) },
}

// healthy is a year of a company of some thousand people.
func healthy() *status.Status {
	return &status.Status{
		At: now, Version: "v1.4.0", Source: "https://backend.flashback.tech",
		Holdings: holdings(365), Journal: journal.Journal{Runs: runs(60)}, Jobs: jobs(), StaleAfter: 36 * time.Hour,
	}
}

// fortyDays is of the same company, and drawn faster.
func fortyDays() *status.Status {
	s := healthy()
	s.Holdings = holdings(40)
	return s
}

func jobs() []status.Job {
	midnight := now.Truncate(24 * time.Hour)
	return []status.Job{
		{Name: "sync", Schedule: "0 2 * * *", Timezone: "Europe/Berlin", Next: midnight.Add(25 * time.Hour)},
		{Name: "alerts", Schedule: "@every 15m", Timezone: "Europe/Berlin", Next: now.Add(3 * time.Minute)},
		{Name: "verify", Schedule: "0 4 * * 0", Timezone: "Europe/Berlin", Next: midnight.Add(51 * time.Hour)},
	}
}

func holdings(days int) *status.Holdings {
	start := now.Truncate(24*time.Hour).AddDate(0, 0, 1-days)
	h := &status.Holdings{At: now.Add(-12 * time.Minute), DuckDBBytes: 1_912_300_000, LakeBytes: 845_000_000, LakeFiles: 2 * days}
	dice := rand.New(rand.NewPCG(1, 2))
	o := &status.Overview{From: start, To: start.AddDate(0, 0, days)}
	alerts, violations, statistics := stream("alerts", 48*time.Hour), stream("violations", 48*time.Hour), stream("policy_stats", 0)
	for i := range days {
		date := start.AddDate(0, 0, i)
		busy := 1 + 0.6*float64(i)/float64(days) + 0.15*math.Sin(float64(i)/29)
		if w := date.Weekday(); w == time.Saturday || w == time.Sunday {
			busy *= 0.18
		}
		some := func(n float64) int64 { return int64(n * busy * (0.8 + 0.4*dice.Float64())) }
		d := status.OverviewDay{
			Date: date, High: some(34), Medium: some(260), Low: some(840), Unrated: some(12),
			TokensIn: some(41_000_000), TokensOut: some(3_900_000),
		}
		d.Alerts = d.High + d.Medium + some(120)
		d.Blocked = d.High + int64(float64(d.Medium)*(0.3+0.2*dice.Float64()))
		o.Days = append(o.Days, d)
		alerts.add(date, d.Alerts)
		violations.add(date, d.High+d.Medium+d.Low+d.Unrated)
		statistics.add(date, 24*37)
	}
	o.Policies = ranked(dice, "No customer data in prompts", "Secrets and keys", "Source code leaves the company", "Personal health information",
		"Financial figures before publication", "Prompt injection", "Unapproved models", "Legal advice", "", "Toxic language")
	o.Models = ranked(dice, "gpt-4o", "claude-3-5-sonnet", "gemini-1.5-pro", "llama-3.1-70b-instruct", "mistral-large")
	for _, s := range []*filled{alerts, violations} {
		s.Lanes = []status.Lane{{Filter: "{}", Covered: checkpoints.Set{{From: start, To: now.Add(-12 * time.Minute)}}}}
		s.Lateness = late()
	}
	for i := range 37 {
		statistics.Lanes = append(statistics.Lanes, status.Lane{
			Filter:  fmt.Sprintf(`{"scope":"repo","id":"repo-%03d","bucket":"1h"}`, i),
			Covered: checkpoints.Set{{From: start.AddDate(0, 0, i*days/400), To: now.Truncate(time.Hour)}},
		})
	}
	h.Streams = []status.Stream{alerts.Stream, violations.Stream, statistics.Stream}
	h.Overview, h.Week = o, aWeek()
	return h
}

type filled struct{ status.Stream }

func stream(name string, lookback time.Duration) *filled {
	return &filled{status.Stream{Name: name, Lookback: lookback}}
}

func (s *filled) add(date time.Time, rows int64) {
	if rows == 0 {
		return
	}
	if s.Oldest == nil {
		s.Oldest = at(date.Add(7 * time.Hour))
	}
	last := date.Add(23*time.Hour + 50*time.Minute)
	if last.After(now) {
		last = now.Add(-13 * time.Minute)
	}
	s.Newest = at(last)
	s.Rows += rows
	s.Days = append(s.Days, status.Day{Date: date, Rows: rows})
}

func ranked(dice *rand.Rand, names ...string) (all []status.Ranked) {
	n := 180_000.0
	for _, name := range names {
		n *= 0.55 + 0.3*dice.Float64()
		r := status.Ranked{Name: name, Violations: int64(n), Alerts: int64(n * 0.4), Blocked: int64(n * 0.12)}
		r.Count = r.Violations + r.Alerts
		all = append(all, r)
	}
	return append(all, status.Ranked{Other: true, Count: 9100, Violations: 7000, Alerts: 2100, Blocked: 310})
}

func late() *status.Lateness {
	l := &status.Lateness{Rows: 1834, Median: 4 * time.Minute, P99: 3*time.Hour + 12*time.Minute, Max: 9*time.Hour + 40*time.Minute}
	for i, n := range []int64{210, 903, 402, 240, 51, 19, 9} {
		l.Classes = append(l.Classes, status.LateClass{UpTo: []time.Duration{
			time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour,
		}[i], Rows: n})
	}
	return l
}

// runs are those of the last days, the newest first.
func runs(n int) (all []journal.Run) {
	dice := rand.New(rand.NewPCG(3, 4))
	for i := range n {
		began := now.Add(-time.Duration(i)*15*time.Minute - 12*time.Minute)
		took := time.Duration(2000+dice.IntN(2500)) * time.Millisecond
		r := journal.Run{
			RunID: fmt.Sprint("r", i), Command: "sync", Job: "alerts", Status: journal.OK, StartedAt: began, FinishedAt: began.Add(took),
			Requests: map[string]int64{"200": int64(6 + dice.IntN(9))}, PeakBytes: 182 << 20, Version: "v1.4.0",
			Streams: map[string]journal.Stream{"alerts": {Requests: 6, Inserted: int64(dice.IntN(40)), Updated: int64(dice.IntN(3)), Complete: true, Served: true, From: at(began.AddDate(0, 0, -2)), To: at(began)}},
		}
		switch {
		case i%30 == 7:
			r.Job, r.FinishedAt, r.PeakBytes = "sync", began.Add(96*time.Second), 410<<20
			r.Requests = map[string]int64{"200": 412, "429": 3}
			r.Retries, r.Waited = 3, 6*time.Second
			for _, name := range []string{"violations", "policy_stats"} {
				r.Streams[name] = journal.Stream{Inserted: 4210, Updated: 12, Complete: true, Served: true, To: at(now.Add(-2 * time.Hour))}
			}
		case i == 22:
			r.Command, r.Job, r.Streams, r.Verdict, r.FinishedAt = "verify", "verify", nil, "match", began.Add(71*time.Second)
			r.Requests = map[string]int64{"200": 735}
		}
		all = append(all, r)
	}
	return all
}

// troubled has much that is wrong.
func troubled() *status.Status {
	s := healthy()
	alerts, violations, statistics := &s.Holdings.Streams[0], &s.Holdings.Streams[1], &s.Holdings.Streams[2]
	start := alerts.Lanes[0].Covered[0].From
	alerts.Lanes = []status.Lane{
		{Filter: "{}", Covered: checkpoints.Set{
			{From: start, To: start.AddDate(0, 3, 0)},
			{From: start.AddDate(0, 3, 0).Add(7 * time.Minute), To: start.AddDate(0, 7, 0)},
			{From: start.AddDate(0, 7, 12), To: now.Add(-50 * time.Hour)},
		}},
		{Filter: `{"host":["chat.example.com","ide.example.com"],"block":true}`, Covered: checkpoints.Set{{From: start.AddDate(0, 2, 0), To: start.AddDate(0, 9, 0)}}},
	}
	alerts.Days = append(alerts.Days[:212:212], alerts.Days[224:]...)
	alerts.Rejected, alerts.Reasons = 312, []status.Ranked{
		{Name: "timestamp: not a time", Count: 290}, {Name: "id: missing", Count: 21}, {Name: "severity: a number where a text is expected", Count: 1},
	}
	violations.Lateness.Max, violations.Lateness.P99 = 31*time.Hour, 11*time.Hour
	for i := range statistics.Lanes[:9] {
		lane := &statistics.Lanes[i]
		lost := checkpoints.Interval{From: start.AddDate(0, 5, i), To: start.AddDate(0, 5, i+3)}
		lane.Covered = checkpoints.Set{{From: lane.Covered[0].From, To: lost.From}, {From: lost.To, To: lane.Covered[0].To}}
		lane.Lost = checkpoints.Set{lost}
	}
	statistics.Lanes[20].Covered = checkpoints.Set{{From: start.AddDate(0, 1, 0), To: start.AddDate(0, 10, 0)}, {From: start.AddDate(0, 10, 0).Add(time.Hour), To: now.Add(-time.Hour)}}
	s.Holdings.Overview.People = ranked(rand.New(rand.NewPCG(9, 9)), "Ada Lovelace", "Grace Hopper", "Alan Turing", strings.Repeat("Wolfeschlegelsteinhausenbergerdorff ", 6))
	s.Runs = brokenRuns(s.Runs)
	s.Progress = &journal.Progress{Command: "sync", Job: "sync", PID: 4211, StartedAt: now.Add(-50 * time.Minute), UpdatedAt: now.Add(-41 * time.Minute), Message: "violations: reading 2026-11-18 to 2026-11-20"}
	return s
}

func brokenRuns(all []journal.Run) []journal.Run {
	for i := range 5 {
		r := &all[i]
		r.Status, r.ExitCode, r.Streams, r.PeakBytes = journal.Failed, 5, nil, 0
		r.Error = `GET https://backend.flashback.tech/api/v1/alerts: 503 Service Unavailable after 6 tries in 2m10s: {"error":"upstream connect error or disconnect/reset before headers. reset reason: connection timeout"}`
		r.Hint = "the source does not answer; the next run continues where this one ended"
		r.FinishedAt = r.StartedAt.Add(130 * time.Second)
		r.Requests, r.Retries, r.Waited = map[string]int64{"200": 2, "503": 5, "none": 1}, 5, 110*time.Second
	}
	all[5].Status, all[5].ExitCode, all[5].Error = journal.Crashed, -1, ""
	all[6].Status, all[6].ExitCode, all[6].Error = journal.Partial, 3, "alerts: 12 rows that the source counts were not given"
	for i := 8; i < 13; i++ {
		all[i] = journal.Run{Command: "sync", Job: "alerts", Status: journal.Skipped, ExitCode: -1, StartedAt: all[i].StartedAt, FinishedAt: all[i].StartedAt, Error: "another job was running"}
	}
	all[13].Status, all[13].ExitCode = journal.Interrupted, 143
	all[22].Verdict, all[22].Missing, all[22].Status, all[22].ExitCode = "missing", 41, journal.Partial, 9
	return all
}

// empty is an installation that has not begun.
func empty() *status.Status {
	return &status.Status{At: now, Version: "v1.4.0", Source: "https://backend.flashback.tech", Jobs: jobs(), StaleAfter: 36 * time.Hour}
}

// firstRun reads for the first time.
func firstRun() *status.Status {
	s := empty()
	s.Progress = progress()
	return s
}

func progress() *journal.Progress {
	return &journal.Progress{
		Command: "sync", Job: "sync", PID: 31, StartedAt: now.Add(-93 * time.Second), UpdatedAt: now.Add(-2 * time.Second),
		Streams: []journal.StreamProgress{
			{Stream: "alerts", Rows: 182_400, Expected: 182_400, Requests: 1840, Done: true},
			{Stream: "violations", Rows: 61_200, Expected: 411_870, Requests: 633},
			{Stream: "policy_stats"},
		},
		Message: "violations: 61,200 of 411,870 rows",
	}
}

func running() *status.Status {
	s := fortyDays()
	s.Progress, s.Jobs[0].Running, s.Jobs[1].Waiting = progress(), true, true
	return s
}

func unreadable() *status.Status {
	s := healthy()
	s.Holdings, s.HoldingsError = nil, "open /data/flashback.duckdb: permission denied"
	return s
}

// oneDay is the first day: one stream with rows, one without.
func oneDay() *status.Status {
	s := healthy()
	s.Holdings, s.Runs = holdings(1), runs(1)
	s.Holdings.Streams[1] = status.Stream{Name: "violations", Lookback: 48 * time.Hour}
	return s
}

func tenYears() *status.Status {
	s := healthy()
	s.Holdings = holdings(3653)
	return s
}

// strange has the name wherever a stranger's text may be.
func strange(name string, days int) *status.Status {
	s := running()
	s.Holdings = holdings(days)
	s.Version, s.Source, s.Progress.Message, s.Progress.Job = name, "https://api.example/"+name, name, name
	s.Progress.Streams[0].Error, s.Progress.Streams[1].Stream = name, name
	s.Holdings.Overview.People = []status.Ranked{{Name: name, Count: 1, Alerts: 1}, {Name: strings.Repeat("long", 50), Count: 1}}
	s.Holdings.Overview.Policies[0].Name, s.Holdings.Overview.Models[0].Name = name, name
	w := s.Holdings.Week
	w.New.Policies.Rows[0].Name, w.New.Models.Rows[0].Name, w.New.Hosts.Rows[0].Name = name, name, name
	w.New.Users = status.WeekNames{Total: 1, Rows: []status.Ranked{{Name: name}}}
	w.Worse.Rows[0].Name, w.Silent.Rows[0].Name = name, strings.Repeat("W", 300)+name
	stream := &s.Holdings.Streams[0]
	stream.Name, stream.Rejected, stream.Reasons = name, 3, []status.Ranked{{Name: name, Count: 3}}
	stream.Lanes = append(stream.Lanes, status.Lane{Filter: name})
	for i := range 4 {
		r := &s.Runs[i]
		r.Command, r.Job, r.Status, r.Error, r.Hint, r.Verdict = name, name, name, name, name, name
		r.Requests = map[string]int64{name: 1}
		r.Streams = map[string]journal.Stream{name: {Complete: true, To: at(now)}}
	}
	s.Runs[1].Status, s.Runs[2].Job = journal.Skipped, "alerts"
	s.Jobs[0].Name, s.Jobs[0].Schedule, s.Jobs[0].Timezone = name, name, name
	return s
}

// manySeries has 5,000 series.
func manySeries(s *status.Status) *status.Status {
	stream := &s.Holdings.Streams[2]
	lane := stream.Lanes[0]
	for i := range 5000 {
		lane.Filter = fmt.Sprintf(`{"id":"%d"}`, i)
		stream.Lanes = append(stream.Lanes, lane)
	}
	return s
}

// huge has the largest numbers and the longest times there are.
func huge() *status.Status {
	s := fortyDays()
	for i := range s.Holdings.Streams {
		stream := &s.Holdings.Streams[i]
		stream.Rows, stream.Rejected, stream.Days[3].Rows = math.MaxInt64, math.MaxInt64, math.MaxInt64
		stream.Days[0].Date = time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)
		stream.Days[len(stream.Days)-1].Date = time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)
		stream.Newest = at(time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC))
	}
	s.Holdings.Streams[0].Lateness = &status.Lateness{Rows: math.MaxInt64, Median: math.MaxInt64, P99: math.MaxInt64, Max: math.MaxInt64, Classes: []status.LateClass{{UpTo: math.MaxInt64, Rows: math.MaxInt64}}}
	day := &s.Holdings.Overview.Days[7]
	day.Alerts, day.High, day.Low, day.Blocked, day.TokensIn, day.TokensOut = math.MaxInt64, math.MaxInt64, math.MaxInt64, math.MaxInt64, math.MaxInt64, math.MaxInt64
	s.Holdings.Overview.Policies[0].Violations, s.Holdings.Overview.Policies[0].Alerts = math.MaxInt64, math.MaxInt64
	w := s.Holdings.Week
	w.This.Violations, w.This.Users, w.Before.Alerts, w.Days[30].High, w.New.Users.Total = math.MaxInt64, math.MaxInt64, math.MaxInt64, math.MaxInt64, math.MaxInt64
	w.Worse.Rows[0].This, w.Silent.Rows[0].Before = math.MaxInt64, math.MaxInt64
	s.Runs[0].StartedAt, s.Runs[0].PeakBytes, s.Runs[0].Retries = time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC), math.MaxInt64, math.MaxInt64
	s.Runs[1].StartedAt, s.Runs[1].FinishedAt = s.Runs[1].FinishedAt, s.Runs[1].StartedAt
	s.Runs[2].Requests = map[string]int64{}
	return s
}

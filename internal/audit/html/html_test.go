package html

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/flashback-sync/flashback-sync/checkpoints"
	"github.com/flashback-sync/flashback-sync/internal/audit"
)

const hostile = `<script>alert("1")</script>'"><img src=x onerror=alert(2)>` + "\u202e\u200f\x00\xff"

var start = time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)

// days of a hundred rows; found says what is wrong with some of them.
func days(n int, found map[int]audit.Status) (all []audit.Day) {
	for i := range n {
		d := audit.Day{From: start.AddDate(0, 0, i), To: start.AddDate(0, 0, i+1), Source: 100, Stored: 100, Status: audit.Match}
		if s, ok := found[i]; ok {
			d.Stored, d.Status = 97, s
		}
		all = append(all, d)
	}
	return all
}

// rich has something of everything, and strangers wrote all its texts.
func rich() *audit.Report {
	hosts, _ := json.Marshal([]string{hostile})
	list := &audit.Stream{
		Stream: "alerts " + hostile, Filter: fmt.Sprintf(`{"host":%s,"block":true,"le<b>vel":"x"}`, hosts),
		From: start, To: start.AddDate(0, 0, 30), Source: 3000, Stored: 2988,
		Days: days(30, map[int]audit.Status{3: audit.Missing, 4: audit.Extra, 5: audit.Differs, 29: audit.Unproven}),
	}
	for i := range mostFindings + 5 {
		list.Findings = append(list.Findings, audit.Finding{
			From: start, To: start.Add(1500 * time.Millisecond), Counts: audit.Counts{Extra: 1}, Samples: []string{hostile, fmt.Sprint(i), strings.Repeat("long", 500)},
		})
	}
	list.Findings = append(list.Findings, audit.Finding{From: start, To: start.Add(time.Hour), Counts: audit.Counts{Missing: 1234567, Differs: 2, Unproven: 3}, Samples: make([]string, 99)})
	list.Close()
	r := &audit.Report{
		Source: "https://api.example/" + hostile, DataDir: hostile, Generator: hostile, Requests: 1234567,
		StartedAt: start, FinishedAt: start.Add(100 * time.Second), Streams: []*audit.Stream{list},
	}
	for i := range 40 {
		series := &audit.Stream{Stream: "policy_stats", Filter: fmt.Sprintf(`{"scope":"repo","id":"r%d"}`, i), Status: audit.Match, From: start, To: start}
		r.Streams = append(r.Streams, series)
		r.Coverage = append(r.Coverage, checkpoints.Line{Stream: "policy_stats", Filter: hostile, Status: hostile})
		r.CrossChecks = append(r.CrossChecks, audit.CrossCheck{Series: hostile, Buckets: 10, Agree: 10 - int64(i%2), First: start})
		r.Files = append(r.Files, audit.File{Path: hostile, Status: audit.Match, Rows: 1000, SHA256: strings.Repeat("a", 64)})
	}
	r.Files[0].Status, r.Files[0].Detail = audit.Differs, hostile
	r.Streams = append(r.Streams, &audit.Stream{Stream: "violations", Filter: "no JSON", Status: audit.NotServed}, &audit.Stream{Stream: hostile, Filter: "{", Status: hostile})
	r.Close()
	return r
}

func written(t *testing.T, r *audit.Report) string {
	t.Helper()
	var page strings.Builder
	if err := Write(&page, r); err != nil {
		t.Fatal(err)
	}
	return page.String()
}

// text is what a reader sees. The parser is strict: a page that it reads is
// well-formed, and stays readable.
func text(t *testing.T, page string) string {
	t.Helper()
	var all strings.Builder
	for in := xml.NewDecoder(strings.NewReader(page)); ; {
		token, err := in.Token()
		if errors.Is(err, io.EOF) {
			return strings.Join(strings.Fields(all.String()), " ")
		}
		if err != nil {
			t.Fatal(err)
		}
		switch token := token.(type) {
		case xml.CharData:
			all.Write(token)
		case xml.EndElement:
			if token.Name.Local != "bdi" {
				all.WriteString(" ")
			}
		}
	}
}

func TestReportIsSelfContained(t *testing.T) {
	elsewhere := regexp.MustCompile(`(?i)<script|<link|<iframe|<object|<base|<form|url\(|@import|\b(src|href|srcset|action|on[a-z]+)=["']`)
	for name, r := range map[string]*audit.Report{
		"rich": rich(), "empty": {}, "nothing in the lists": {Streams: []*audit.Stream{{}, {Stream: "policy_stats"}}, Files: []audit.File{{}}, CrossChecks: []audit.CrossCheck{{}}, Coverage: []checkpoints.Line{{}}},
	} {
		t.Run(name, func(t *testing.T) {
			page := written(t, r)
			text(t, page)
			if found := elsewhere.FindString(page); found != "" {
				t.Errorf("the page has %q", found)
			}
			const own = "https://api.example/"
			if rest := strings.ReplaceAll(page, own, ""); strings.Contains(rest, "http:") || strings.Contains(rest, "https:") {
				t.Error("the page has an address that is not the source's")
			}
			if !strings.Contains(page, `content="default-src 'none'; style-src 'unsafe-inline'; img-src data:"`) || !strings.Contains(page, `<html lang="en">`) {
				t.Error("the policy or the language is missing")
			}
			if strings.Contains(page, "ZgotmplZ") {
				t.Error("a value is where none is allowed")
			}
		})
	}
}

func TestHostileTextIsEscaped(t *testing.T) {
	page := written(t, rich())
	seen := text(t, page)
	shown := `<script>alert("1")</script>'"><img src=x onerror=alert(2)>\u202e\u200f\x00\xff`
	for _, place := range []string{"Source https://api.example/", "Data folder ", "Release ", "alerts ", "differs "} {
		if !strings.Contains(seen, place+shown) {
			t.Errorf("not shown behind %q", place)
		}
	}
	if !strings.Contains(seen, `host <script>alert("1")</script>`) {
		t.Error("the filter is not shown")
	}
	if !utf8.ValidString(page) || strings.ContainsAny(page, "\u202e\u200f\x00") || strings.Contains(page, "<b>vel") {
		t.Error("a text is not escaped")
	}
}

func TestReportShowsWhatWasFound(t *testing.T) {
	seen := text(t, written(t, rich()))
	for _, want := range []string{
		"2024-01-01 00:00:00Z took 1 min 40 s", "Requests 1,234,567", "block true", "no JSON", "1 of 40 files are not what they should be",
		"2024-01-01 00:00:00Z to 2024-01-01 00:00:01.5Z", "1,234,567 missing", "and 6 more; see the JSON", "and 89 more; see the JSON",
		"380 of 400 buckets agree", "20 more series, which agree in every bucket", "40 more lines, of statistics series", "40 more series, all match",
		"flashback-sync verify --html report.html", "does not decide the verdict", "The source does not serve this stream.",
		"30 days: 26 match, 1 with rows missing, 1 with rows that differ, 1 with rows unproven and 1 with rows extra",
		"2024-01-04: 97 stored; 100 by the source: missing", "Totals cannot distinguish",
	} {
		if !strings.Contains(seen, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if strings.Index(seen, "1,234,567 missing") > strings.Index(seen, "1 extra") {
		t.Error("what is missing does not stand before what is extra")
	}
}

func TestEveryBarHasATitle(t *testing.T) {
	for n, bars := range map[int]int{1: 1, 3: 3, 400: 400, 401: 58, 3 * 365: 157, 9 * 365: 108} {
		s := &audit.Stream{Stream: "alerts", Status: audit.Match, Days: days(n, map[int]audit.Status{n / 2: audit.Missing})}
		page := written(t, &audit.Report{Streams: []*audit.Stream{s}})
		if got := strings.Count(page, "<title>") - 1; got != bars || strings.Count(page, `<rect class="fill t-`) != bars {
			t.Errorf("%d days: %d titles, want %d", n, got, bars)
		}
		if strings.Count(page, `<path class="fill t-missing"`) != 1 {
			t.Errorf("%d days: what is missing is not marked once", n)
		}
		if strings.Contains(page, "NaN") || strings.Contains(page, "Inf") {
			t.Errorf("%d days: a coordinate is no number", n)
		}
	}
}

func TestVerdicts(t *testing.T) {
	stream := func(c audit.Counts) *audit.Stream {
		s := &audit.Stream{Stream: "alerts", Findings: []audit.Finding{{Counts: c}}}
		s.Close()
		return s
	}
	files := func(all ...audit.Status) (files []audit.File) {
		for _, s := range all {
			files = append(files, audit.File{Status: s})
		}
		return files
	}
	for want, r := range map[string]*audit.Report{
		"Everything that the source counts is stored":                           {Streams: []*audit.Stream{stream(audit.Counts{})}, Files: files(audit.Match)},
		"Every row that the source has is stored":                               {Streams: []*audit.Stream{stream(audit.Counts{})}, Full: true},
		"Every published file is what it should be":                             {Streams: []*audit.Stream{{Status: audit.NotServed}}, Files: files(audit.Match)},
		"The source serves none of the streams":                                 {Streams: []*audit.Stream{{Status: audit.NotServed}}},
		"Nothing was compared":                                                  {},
		"1 stream was not compared":                                             {Streams: []*audit.Stream{{Status: audit.NotSynced}}},
		"3 rows are missing":                                                    {Streams: []*audit.Stream{stream(audit.Counts{Missing: 2}), stream(audit.Counts{Missing: 1})}},
		"1 row is missing and 1 row differs":                                    {Streams: []*audit.Stream{stream(audit.Counts{Missing: 1, Differs: 1})}},
		"2 rows are counted by the source but not given":                        {Streams: []*audit.Stream{stream(audit.Counts{Unproven: 2})}},
		"Nothing is missing, but 1 row is stored that the source no longer has": {Streams: []*audit.Stream{stream(audit.Counts{Extra: 1})}},
		"3 rows are missing, 1,000 rows are stored that the source no longer has and 2 files differ": {
			Streams: []*audit.Stream{stream(audit.Counts{Missing: 3, Extra: 1000})}, Files: files(audit.Differs, audit.Differs, audit.Match),
		},
		"Everything that the source counts is stored, but 1 file is missing and 2 files are not in the manifest": {
			Streams: []*audit.Stream{stream(audit.Counts{})}, Files: files(audit.Missing, audit.Extra, audit.Extra),
		},
		"2 rows differ, 1 stream was not compared and 1 file is missing": {
			Streams: []*audit.Stream{stream(audit.Counts{Differs: 2}), {Status: audit.NotSynced}}, Files: files(audit.Missing),
		},
	} {
		r.Close()
		if seen := text(t, written(t, r)); !strings.Contains(seen, "Verification report "+want+".") {
			t.Errorf("the verdict is %q, want %q", verdictOf(r).Words, want)
		}
	}
}

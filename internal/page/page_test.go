package page_test

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"golang.org/x/net/html"

	"github.com/flashback-sync/flashback-sync/checkpoints"
	"github.com/flashback-sync/flashback-sync/internal/chart"
	"github.com/flashback-sync/flashback-sync/internal/page"
	"github.com/flashback-sync/flashback-sync/internal/status"
)

func written(t testing.TB, s *status.Status, form page.Form) string {
	t.Helper()
	var out strings.Builder
	if err := page.Write(&out, s, form); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// document is what the page of a scenario is, and how a browser reads it.
type document struct {
	text string
	root *html.Node
}

// documents are every scenario as a page, and some as a report.
var documents = sync.OnceValue(func() map[string]document {
	all := map[string]document{}
	for name, scenario := range scenarios {
		for kind, form := range map[string]page.Form{"page": page.Live, "report": page.File} {
			if form == page.File && name != "troubled" && name != "empty" {
				continue // it differs in its top and bottom only
			}
			var out strings.Builder
			if err := page.Write(&out, scenario(), form); err != nil {
				panic(err)
			}
			root, err := html.Parse(strings.NewReader(out.String()))
			if err != nil {
				panic(err)
			}
			all[name+" "+kind] = document{out.String(), root}
		}
	}
	return all
})

func pages(t *testing.T, each func(t *testing.T, d document)) {
	t.Helper()
	for name, d := range documents() {
		t.Run(name, func(t *testing.T) { each(t, d) })
	}
}

func parsed(t testing.TB, document string) *html.Node {
	t.Helper()
	root, err := html.Parse(strings.NewReader(document))
	if err != nil {
		t.Fatal(err)
	}
	return root
}

func attribute(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

// inline are the elements that do not part words.
var inline = map[string]bool{"bdi": true, "span": true, "time": true, "code": true, "a": true, "b": true}

// text is what a reader sees, without the style sheet.
func text(root *html.Node) string {
	var out strings.Builder
	var walk func(*html.Node)
	walk = func(n *html.Node) {
		if n.Type == html.TextNode && n.Parent.Data != "style" {
			out.WriteString(n.Data)
		}
		for c := range n.ChildNodes() {
			walk(c)
		}
		if n.Type == html.ElementNode && !inline[n.Data] {
			out.WriteString(" ")
		}
	}
	walk(root)
	return strings.Join(strings.Fields(out.String()), " ")
}

func TestPagesNeedNothingElse(t *testing.T) {
	pages(t, func(t *testing.T, d document) {
		for n := range d.root.Descendants() {
			switch n.Data {
			case "script", "iframe", "object", "embed", "base", "form", "img", "input", "audio", "video":
				if n.Type == html.ElementNode {
					t.Errorf("the page has a %s", n.Data)
				}
			case "use", "image", "foreignObject":
				t.Errorf("a chart has a %s", n.Data)
			}
			for _, a := range n.Attr {
				switch own := strings.HasPrefix(a.Val, "#") || strings.HasPrefix(a.Val, "data:") || a.Val == "?refresh=off" || a.Val == "report.html"; {
				case strings.HasPrefix(a.Key, "on"), a.Key == "style", a.Key == "src", a.Key == "srcset", a.Key == "action", a.Key == "href" && !own:
					t.Errorf("%s has %s=%q", n.Data, a.Key, a.Val)
				case strings.Contains(a.Val, "ZgotmplZ"), strings.Contains(a.Val, "NaN"), strings.Contains(a.Val, "Inf"):
					t.Errorf("%s has %s=%q", n.Data, a.Key, a.Val)
				}
			}
		}
		if strings.Contains(d.text, "url(") || strings.Contains(d.text, "@import") {
			t.Error("the style sheet loads something")
		}
	})
}

func TestThePolicyAllowsThePagesStyleAndNothingElse(t *testing.T) {
	for n := range parsed(t, written(t, oneDay(), page.Live)).Descendants() {
		if n.Data != "style" || n.Type != html.ElementNode {
			continue
		}
		sum := sha256.Sum256([]byte(n.FirstChild.Data))
		want := "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
		if got := page.Policy(); got != want {
			t.Errorf("the policy is %q, want %q", got, want)
		}
	}
	report := html.UnescapeString(written(t, oneDay(), page.File))
	if own, _ := strings.CutSuffix(page.Policy(), "; frame-ancestors 'none'"); !strings.Contains(report, `http-equiv="Content-Security-Policy" content="`+own+`"`) {
		t.Error("the report does not bring its policy")
	}
	if strings.Contains(report, `http-equiv="refresh"`) {
		t.Error("the report loads again")
	}
}

func TestThePageLoadsAgainUnlessPaused(t *testing.T) {
	const again, pause, resume, report = `http-equiv="refresh"`, `<a href="?refresh=off">Pause</a>`, `<a href="./">Resume</a>`, `<a href="report.html">`
	for form, want := range map[page.Form][]string{page.Live: {again, pause, report}, page.Paused: {resume, report}, page.File: {"Made <time"}} {
		document := written(t, oneDay(), form)
		for _, text := range []string{again, pause, resume, report, "Made <time"} {
			if got := strings.Contains(document, text); got != slices.Contains(want, text) {
				t.Errorf("form %d has %q: %v", form, text, got)
			}
		}
	}
	if busy := written(t, running(), page.Live); !strings.Contains(busy, `content="5"`) {
		t.Error("a page of a run under way loads as seldom as others")
	}
}

func TestHostileTextIsEscaped(t *testing.T) {
	hostile := documents()["hostile page"]
	document := hostile.text
	shown := `<script>alert("1")</script>'"><img src=x onerror=alert(2)>\u202e\u200f\x00\xff`
	seen := text(hostile.root)
	for _, before := range []string{
		"Source: https://api.example/", "Needs action ", "The last run failed (11 min ago): ", "read up to 2026-11-20 09:00 Last run ", "A run is in progress ",
		"1,840 requests ", "Streams ", "set 2: ", "Reason Records ", "violations alerts blocked ", "Schedule Next Last ", "2026-11-20 09:30 ", "Answers: 1 × ",
		"1 slot of ", "Written by flashback-sync ",
	} {
		if !strings.Contains(seen, before+shown) {
			t.Errorf("not shown behind %q", before)
		}
	}
	if n := strings.Count(seen, shown); n < 25 {
		t.Errorf("shown %d times only", n)
	}
	if !utf8.ValidString(document) || strings.ContainsAny(document, "\u202e\u200f\x00") || strings.Contains(document, "<script") || strings.Contains(document, "<img") {
		t.Error("a text is not escaped")
	}
}

type brokenPipe struct{}

var errBroken = errors.New("broken pipe")

func (brokenPipe) Write([]byte) (int, error) { return 0, errBroken }

func TestAWriterThatFailsIsReported(t *testing.T) {
	if err := page.Write(brokenPipe{}, empty(), page.Paused); !errors.Is(err, errBroken) {
		t.Error(err)
	}
}

func TestPagesAreTheSameForTheSameStatus(t *testing.T) {
	s, before := troubled(), documents()["troubled page"].text
	if before != written(t, s, page.Live) {
		t.Error("two pages of one status differ")
	}
	if before != written(t, s, page.Live) {
		t.Error("writing a page changes the status")
	}
}

func TestPagesStaySmall(t *testing.T) {
	for name, d := range documents() {
		if size := len(d.text); size > 1<<20 {
			t.Errorf("%s: %d bytes", name, size)
		}
	}
}

// FuzzPage puts a name wherever a stranger's text may be: no element may come of it.
func FuzzPage(f *testing.F) {
	tags := regexp.MustCompile(`<[a-z][a-z0-9]*`)
	want := map[string]int{}
	for _, tag := range tags.FindAllString(written(f, strange("x", 2), page.Live), -1) {
		want[tag]++
	}
	for _, seed := range []string{hostile, "", "{}", `{"a":["b"]}`, "</style><script>", "{{.}}", "x\" onload=\"y", "<!--", "]]>", "javascript:x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		document := written(t, strange(name, 2), page.Live)
		if !utf8.ValidString(document) {
			t.Fatal("the page is no UTF-8")
		}
		for _, tag := range tags.FindAllString(document, -1) {
			if _, known := want[tag]; !known {
				t.Fatalf("%q makes a %s", name, tag)
			}
		}
	})
}

func BenchmarkPage(b *testing.B) {
	s := healthy()
	b.ReportAllocs()
	for b.Loop() {
		if err := page.Write(io.Discard, s, page.Live); err != nil {
			b.Fatal(err)
		}
	}
}

func TestOnlyNotesAreNotCalledProblems(t *testing.T) {
	s := fortyDays()
	s.Holdings.Streams[0].Lanes[0].Lost = checkpoints.Set{{From: now.AddDate(-3, 0, 0), To: now.AddDate(-2, 0, 0)}}
	if seen := text(parsed(t, written(t, s, page.Paused))); strings.Contains(seen, "Problems") || !strings.Contains(seen, "Notes") {
		t.Error("notes are called problems")
	}
	s.HoldingsError = "damaged"
	if seen := text(parsed(t, written(t, s, page.Paused))); !strings.Contains(seen, "Problems") || strings.Contains(seen, "Notes") {
		t.Error("problems are called notes")
	}
}

func TestThePageNamesItsHostAndDataDir(t *testing.T) {
	s := oneDay()
	s.Host, s.DataDir = "sync-1", "/var/lib/flashback-sync"
	if seen := text(parsed(t, written(t, s, page.Paused))); !strings.Contains(seen, "data_dir: /var/lib/flashback-sync on sync-1") {
		t.Error("the page does not say which installation this is")
	}
}

func TestChartsBeginWithTheFirstRow(t *testing.T) {
	s := fortyDays()
	lane := &s.Holdings.Streams[0].Lanes[0]
	first := s.Holdings.Streams[0].Days[0].Date
	lane.Covered[0].From = first.AddDate(-9, 0, 0)
	seen := text(parsed(t, written(t, s, page.Paused)))
	if !strings.Contains(seen, chart.Period(first, now.Truncate(24*time.Hour).AddDate(0, 0, 1))) {
		t.Error("a chart begins long before its first row")
	}
	if !strings.Contains(seen, "Covered from "+first.AddDate(-9, 0, 0).Format("2006-01-02 15:04")) {
		t.Error("what is covered before the first row is not said")
	}
}

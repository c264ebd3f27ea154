package page_test

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"golang.org/x/net/html"

	"github.com/flashback-sync/flashback-sync/internal/chart"
	"github.com/flashback-sync/flashback-sync/internal/page"
	"github.com/flashback-sync/flashback-sync/internal/status"
)

var live = page.Options{Refresh: 15 * time.Second, Pause: "/?pause", Report: "/report.html"}

func written(t testing.TB, s *status.Status, o page.Options) string {
	t.Helper()
	var out strings.Builder
	if err := page.Write(&out, s, o); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// documents are every scenario, as a page and as a report.
var documents = sync.OnceValue(func() map[string]string {
	all := map[string]string{}
	for name, scenario := range scenarios {
		for kind, o := range map[string]page.Options{"page": live, "report": {Static: true}} {
			var out strings.Builder
			if err := page.Write(&out, scenario(), o); err != nil {
				panic(err)
			}
			all[name+" "+kind] = out.String()
		}
	}
	return all
})

func pages(t *testing.T, each func(t *testing.T, document string)) {
	t.Helper()
	for name, document := range documents() {
		t.Run(name, func(t *testing.T) { each(t, document) })
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
	pages(t, func(t *testing.T, document string) {
		for n := range parsed(t, document).Descendants() {
			switch n.Data {
			case "script", "iframe", "object", "embed", "base", "form", "img", "input", "audio", "video":
				if n.Type == html.ElementNode {
					t.Errorf("the page has a %s", n.Data)
				}
			case "use", "image", "foreignObject":
				t.Errorf("a chart has a %s", n.Data)
			}
			for _, a := range n.Attr {
				switch own := strings.HasPrefix(a.Val, "#") || strings.HasPrefix(a.Val, "/") || strings.HasPrefix(a.Val, "data:"); {
				case strings.HasPrefix(a.Key, "on"), a.Key == "style", a.Key == "src", a.Key == "srcset", a.Key == "action", a.Key == "href" && !own:
					t.Errorf("%s has %s=%q", n.Data, a.Key, a.Val)
				case strings.Contains(a.Val, "ZgotmplZ"), strings.Contains(a.Val, "NaN"), strings.Contains(a.Val, "Inf"):
					t.Errorf("%s has %s=%q", n.Data, a.Key, a.Val)
				}
			}
		}
		if strings.Contains(document, "url(") || strings.Contains(document, "@import") {
			t.Error("the style sheet loads something")
		}
	})
}

func TestThePolicyAllowsThePagesStyleAndNothingElse(t *testing.T) {
	for n := range parsed(t, written(t, healthy(), live)).Descendants() {
		if n.Data != "style" || n.Type != html.ElementNode {
			continue
		}
		sum := sha256.Sum256([]byte(n.FirstChild.Data))
		want := "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
		if got := page.Policy(); got != want {
			t.Errorf("the policy is %q, want %q", got, want)
		}
	}
	report := html.UnescapeString(written(t, healthy(), page.Options{Static: true, Refresh: time.Second}))
	if own, _ := strings.CutSuffix(page.Policy(), "; frame-ancestors 'none'"); !strings.Contains(report, `http-equiv="Content-Security-Policy" content="`+own+`"`) {
		t.Error("the report does not bring its policy")
	}
	if strings.Contains(report, `http-equiv="refresh"`) {
		t.Error("the report loads again")
	}
}

func TestThePageLoadsAgainAsToldAndCanBePaused(t *testing.T) {
	for _, c := range []struct {
		o        page.Options
		has, not string
	}{
		{live, `<meta http-equiv="refresh" content="15"/>`, "Resume"},
		{live, `<a href="/?pause">Pause</a>`, "Resume"},
		{live, `<a href="/report.html">`, "Resume"},
		{page.Options{Resume: "/"}, `<a href="/">Resume</a>`, "refresh"},
		{page.Options{}, "As of", "href=\"/"},
		{page.Options{Static: true}, "Made <time", "href=\"/"},
		{page.Options{Refresh: time.Millisecond}, `content="1"/>`, "Pause"},
	} {
		head, rest, _ := strings.Cut(written(t, healthy(), c.o), "<style>")
		_, body, _ := strings.Cut(rest, "</style>")
		if all := head + body; !strings.Contains(all, c.has) || strings.Contains(all, c.not) {
			t.Errorf("%+v: no %q, or a %q", c.o, c.has, c.not)
		}
	}
}

func TestStrangersTextsAreShownAndNotObeyed(t *testing.T) {
	document := documents()["hostile page"]
	shown := `<script>alert("1")</script>'"><img src=x onerror=alert(2)>\u202e\u200f\x00\xff`
	seen := text(parsed(t, document))
	for _, before := range []string{
		"Source: https://api.example/", "Needs action ", "The last run failed (11 min ago): ", "read up to 2026-11-20 09:00 Last run ", "A run is in progress ",
		"1,840 requests ", "Streams ", "set 2: ", "Last verification ", "Reason Records ", "violations alerts blocked ", "Schedule Next Last ", "2026-11-20 09:30 ", "Answers: 1 × ",
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
	if err := page.Write(brokenPipe{}, empty(), page.Options{}); !errors.Is(err, errBroken) {
		t.Error(err)
	}
}

func TestPagesAreTheSameForTheSameStatus(t *testing.T) {
	if first := written(t, troubled(), live); first != written(t, troubled(), live) {
		t.Error("two pages of one status differ")
	}
	s := troubled()
	before := written(t, s, live)
	if before != written(t, s, live) {
		t.Error("writing a page changes the status")
	}
}

func TestPagesStaySmall(t *testing.T) {
	for name, document := range documents() {
		if size := len(document); size > 1<<20 {
			t.Errorf("%s: %d bytes", name, size)
		}
	}
}

// FuzzPage puts a name wherever a stranger's text may stand: no element may come of it.
func FuzzPage(f *testing.F) {
	tags := regexp.MustCompile(`<[a-z][a-z0-9]*`)
	want := map[string]int{}
	for _, tag := range tags.FindAllString(written(f, strange("x", 2), live), -1) {
		want[tag]++
	}
	for _, seed := range []string{hostile, "", "{}", `{"a":["b"]}`, "</style><script>", "{{.}}", "x\" onload=\"y", "<!--", "]]>", "javascript:x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		document := written(t, strange(name, 2), live)
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
		if err := page.Write(io.Discard, s, live); err != nil {
			b.Fatal(err)
		}
	}
}

func TestOnlyNotesAreNotCalledProblems(t *testing.T) {
	s := healthy()
	s.Holdings.Streams[0].Lanes[0].Lost = []status.Span{{From: now.AddDate(-3, 0, 0), To: now.AddDate(-2, 0, 0)}}
	if seen := text(parsed(t, written(t, s, page.Options{}))); strings.Contains(seen, "Problems") || !strings.Contains(seen, "Notes") {
		t.Error("notes are called problems")
	}
	s.HoldingsError = "damaged"
	if seen := text(parsed(t, written(t, s, page.Options{}))); !strings.Contains(seen, "Problems") || strings.Contains(seen, "Notes") {
		t.Error("problems are called notes")
	}
}

func TestThePageNamesItsHostAndDataDir(t *testing.T) {
	s := healthy()
	s.Host, s.DataDir = "sync-1", "/var/lib/flashback-sync"
	if seen := text(parsed(t, written(t, s, page.Options{}))); !strings.Contains(seen, "data_dir: /var/lib/flashback-sync on sync-1") {
		t.Error("nobody can see which installation this is")
	}
}

func TestChartsBeginWithTheFirstRow(t *testing.T) {
	s := healthy()
	lane := &s.Holdings.Streams[0].Lanes[0]
	first := s.Holdings.Streams[0].Days[0].Date
	lane.Covered[0].From = first.AddDate(-9, 0, 0)
	seen := text(parsed(t, written(t, s, page.Options{})))
	if !strings.Contains(seen, chart.Period(first, now.Truncate(24*time.Hour).AddDate(0, 0, 1))) {
		t.Error("a chart begins long before its first row")
	}
	if !strings.Contains(seen, "Covered from "+first.AddDate(-9, 0, 0).Format("2006-01-02 15:04")) {
		t.Error("what is covered before the first row is not said")
	}
}

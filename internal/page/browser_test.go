package page_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/flashback-sync/flashback-sync/internal/page"
)

// sight is how a page is looked at.
type sight struct {
	name   string
	width  int64
	height int64
	scheme string // the reader's prefers-color-scheme
}

func sights() (all []sight) {
	for _, s := range []sight{{"desktop", 1280, 900, ""}, {"phone", 390, 844, ""}, {"narrow", 360, 740, ""}} {
		for _, s.scheme = range []string{"light", "dark"} {
			all = append(all, s)
		}
	}
	return all
}

// TestBrowser opens the page as a server would send it, and the report as a file
// (in the dark), and checks that a browser obeys its policy without a complaint, requests
// nothing else, scrolls in one direction and has letters that can be read. With
// SCREENSHOTS set to a folder it leaves pictures of every scenario there.
func TestBrowser(t *testing.T) {
	b := startBrowser(t)
	if b.open("/forbidden", sights()[0]); len(b.take()) < 2 {
		t.Fatal("no complaint is recorded when a browser refuses an inline style and an image")
	}
	for _, name := range slices.Sorted(maps.Keys(scenarios)) {
		for _, s := range sights() {
			if b.pictures == "" && name != "troubled" && (name != "hostile" || s.name != "narrow") {
				continue // these differ little in what a browser does
			}
			address := "/" + name + map[bool]string{true: ".report"}[s.scheme == "dark"]
			b.open(address, s)
			b.measure(address, s)
			for _, complaint := range b.take() {
				t.Errorf("%s, %s, %s: %s", name, s.name, s.scheme, complaint)
			}
			b.photograph(fmt.Sprintf("%s-%s-%s.png", strings.ReplaceAll(name, " ", "-"), s.name, s.scheme))
		}
	}
}

// browser is a Chromium that shows what a server of ours sends.
type browser struct {
	*testing.T
	ctx      context.Context // chromedp keeps the browser in it
	server   *httptest.Server
	pictures string

	mu         sync.Mutex
	complaints []string
}

func startBrowser(t *testing.T) *browser {
	t.Helper()
	path := chromium(t)
	b := &browser{T: t, pictures: os.Getenv("SCREENSHOTS"), server: httptest.NewServer(http.HandlerFunc(handle))}
	t.Cleanup(b.server.Close)
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]), chromedp.ExecPath(path), chromedp.UserDataDir(t.TempDir()))
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(cancel)
	b.ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	if err := errors.Join(chromedp.Do(b.ctx), chromedp.Listen(b.ctx, b.record)); err != nil {
		t.Fatalf("start Chromium: %v", err)
	}
	return b
}

// chromium is looked for; CI must have it.
func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if os.Getenv("CI") != "" {
		t.Fatal("no Chromium was found")
	}
	t.Skip("no Chromium was found")
	return ""
}

// handle sends a scenario with the header that a server sends, or its report
// without: a file brings its own.
func handle(w http.ResponseWriter, r *http.Request) {
	name, form := strings.TrimPrefix(r.URL.Path, "/"), page.Live
	if before, isReport := strings.CutSuffix(name, ".report"); isReport {
		name, form = before, page.File
	} else {
		w.Header().Set("Content-Security-Policy", page.Policy())
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if name == "forbidden" {
		fmt.Fprint(w, `<!DOCTYPE html><title>x</title><p style="color:red"><img src="http://127.0.0.2:1/elsewhere.png" alt="">`)
		return
	}
	if d, drawn := documents()[name+map[page.Form]string{page.Live: " page", page.File: " report"}[form]]; drawn {
		fmt.Fprint(w, d.text)
		return
	}
	scenario, ok := scenarios[name]
	if !ok {
		http.NotFound(w, r)
		return
	}
	if err := page.Write(w, scenario(), form); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

// record records what the browser complains of, and what it requests.
func (b *browser) record(event any) {
	complaint := ""
	switch event := event.(type) {
	case *log.EventEntryAdded:
		complaint = event.Entry.Text
	case *runtime.EventConsoleAPICalled:
		complaint = "console: " + string(event.Type)
	case *runtime.EventExceptionThrown:
		complaint = event.ExceptionDetails.Text
	case *network.EventRequestWillBeSent:
		if url := event.Request.URL; !strings.HasPrefix(url, b.server.URL+"/") && !strings.HasPrefix(url, "data:") || strings.HasSuffix(url, ".ico") {
			complaint = "requests " + url
		}
	}
	if complaint != "" {
		b.mu.Lock()
		b.complaints = append(b.complaints, complaint)
		b.mu.Unlock()
	}
}

func (b *browser) take() (all []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	all, b.complaints = b.complaints, nil
	return all
}

func (b *browser) open(address string, s sight) {
	b.Helper()
	media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: s.scheme}}}
	_, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, media)
	if err = cmp.Or(err, chromedp.Do(b.ctx, chromedp.EmulateViewport(s.width, s.height), chromedp.Navigate(b.server.URL+address))); err != nil {
		b.Fatalf("open %s: %v", address, err)
	}
}

// measured names what is wider than the window, with everything unfolded, and
// reports letters that are too small and texts that overlap.
const measured = `(() => {
	const page = document.scrollingElement, folded = [...document.querySelectorAll('details')].filter(d => !d.open), wrong = [];
	folded.forEach(d => d.open = true);
	if (page.scrollWidth > innerWidth) {
		const wide = [...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > innerWidth + 1);
		wrong.push(...wide.slice(0, 3).map(e => 'wider than the window: ' + e.outerHTML.slice(0, 200)));
	}
	folded.forEach(d => d.open = false);
	for (const chart of document.querySelectorAll('svg.chart')) {
		const texts = [...chart.querySelectorAll('text')].filter(e => getComputedStyle(e).display !== 'none');
		if (texts.some(e => parseFloat(getComputedStyle(e).fontSize) < 11)) wrong.push('small letters in ' + chart.getAttribute('aria-labelledby'));
		const boxes = texts.map(e => e.getBoundingClientRect());
		const clash = boxes.findIndex((a, i) => boxes.some((b, j) => i < j && a.left < b.right && b.left < a.right && a.top + 2 < b.bottom && b.top + 2 < a.bottom));
		if (clash >= 0) wrong.push(chart.getAttribute('aria-labelledby') + ': a text overlaps ' + texts[clash].textContent);
		const out = boxes.findIndex(a => a.left < 0 || a.right > innerWidth);
		if (out >= 0) wrong.push(chart.getAttribute('aria-labelledby') + ': cut off: ' + texts[out].textContent);
	}
	return wrong.slice(0, 9).join('\n');
})()`

func (b *browser) measure(address string, s sight) {
	b.Helper()
	wrong, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](measured))
	if err != nil {
		b.Fatalf("measure %s: %v", address, err)
	}
	if wrong != "" {
		b.Errorf("%s, %s: %s", address, s.name, wrong)
	}
}

func (b *browser) photograph(name string) {
	b.Helper()
	if b.pictures == "" {
		return
	}
	picture, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
	if err = cmp.Or(err, os.MkdirAll(b.pictures, 0o755)); err == nil {
		err = os.WriteFile(filepath.Join(b.pictures, name), picture, 0o644)
	}
	if err != nil {
		b.Fatalf("photograph: %v", err)
	}
}

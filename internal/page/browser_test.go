package page_test

import (
	"context"
	"errors"
	"fmt"
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
	"github.com/flashback-sync/flashback-sync/internal/status"
)

// viewports are what people look at the page with.
var viewports = []struct {
	name string
	w, h int64
}{{"desktop", 1280, 900}, {"phone", 390, 844}, {"narrow", 360, 740}}

// TestBrowser opens the page as a server would send it, and holds that a browser
// obeys its policy without a word, asks nobody else, and scrolls in one direction.
// With SCREENSHOTS set to a folder it leaves pictures there.
func TestBrowser(t *testing.T) {
	browser := startBrowser(t)
	shown := scenarios()
	server := serve(t, shown)
	heard := listen(t, browser, server.URL)
	for _, name := range seen() {
		for _, v := range viewports {
			for _, scheme := range []string{"light", "dark"} {
				if name == "hostile" && (scheme == "dark" || v.name == "desktop") {
					continue
				}
				look(t, browser, server.URL, name, scheme, v.name, v.w, v.h)
				for _, complaint := range heard.take() {
					t.Errorf("%s, %s, %s: %s", name, v.name, scheme, complaint)
				}
			}
		}
	}
}

// seen are the scenarios to look at; the others differ in their numbers only.
func seen() []string {
	if os.Getenv("SCREENSHOTS") == "" {
		return []string{"troubled", "hostile"}
	}
	var all []string
	for name := range scenarios() {
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}

func startBrowser(t *testing.T) context.Context {
	t.Helper()
	var path string
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		if os.Getenv("CI") != "" {
			t.Fatal("no Chromium was found")
		}
		t.Skip("no Chromium was found")
	}
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]), chromedp.ExecPath(path), chromedp.UserDataDir(t.TempDir()))
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("start Chromium: %v", err)
	}
	return ctx
}

// serve sends the scenarios with the header that a server sends, and the report
// without it: a file brings its own.
func serve(t *testing.T, shown map[string]*status.Status) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name, o := strings.TrimPrefix(r.URL.Path, "/"), page.Options{Refresh: time.Hour, Pause: "/?pause", Report: "/report.html"}
		if name, o.Static = strings.CutSuffix(name, ".report"); o.Static {
			o = page.Options{Static: true}
		} else {
			w.Header().Set("Content-Security-Policy", page.Policy())
		}
		s, ok := shown[name]
		if !ok {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		if err := page.Write(w, s, o); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(server.Close)
	return server
}

// ear collects what a browser complains of.
type ear struct {
	mu  sync.Mutex
	all []string
}

func (e *ear) add(format string, arguments ...any) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.all = append(e.all, fmt.Sprintf(format, arguments...))
}

func (e *ear) take() (all []string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	all, e.all = e.all, nil
	return all
}

func listen(t *testing.T, browser context.Context, own string) *ear {
	t.Helper()
	e := &ear{}
	err := chromedp.Listen(browser, func(event any) {
		switch event := event.(type) {
		case *log.EventEntryAdded:
			e.add("log: %s %s", event.Entry.Level, event.Entry.Text)
		case *runtime.EventConsoleAPICalled:
			e.add("console: %s", event.Type)
		case *runtime.EventExceptionThrown:
			e.add("exception: %s", event.ExceptionDetails.Text)
		case *network.EventRequestWillBeSent:
			if url := event.Request.URL; !strings.HasPrefix(url, own+"/") && !strings.HasPrefix(url, "data:") || strings.HasSuffix(url, ".ico") {
				e.add("asks %s", url)
			}
		}
	})
	if err != nil {
		t.Fatalf("listen to Chromium: %v", err)
	}
	return e
}

// overflow names what is wider than the window, with everything unfolded, and
// letters that are too small to read.
const overflow = `(() => {
	const page = document.scrollingElement, folded = document.querySelectorAll('details');
	folded.forEach(d => d.open = true);
	const wide = page.scrollWidth > innerWidth ? [...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > innerWidth + 1).map(e => e.outerHTML.slice(0, 120)) : [];
	folded.forEach(d => d.open = false);
	const tiny = [...document.querySelectorAll('svg.chart text')].filter(e => parseFloat(getComputedStyle(e).fontSize) < 11).length;
	return wide.concat(tiny ? [tiny + ' letters are too small'] : []).slice(0, 4).join('\n');
})()`

// look opens a scenario, and its report if it is seen in the dark.
func look(t *testing.T, browser context.Context, server, name, scheme, viewport string, w, h int64) {
	t.Helper()
	address := server + "/" + name
	if scheme == "dark" {
		address += ".report"
	}
	media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}}
	_, err := chromedp.Call(browser, emulation.SetEmulatedMedia, media)
	err = errors.Join(err, chromedp.Do(browser, chromedp.EmulateViewport(w, h), chromedp.Navigate(address)))
	if err != nil {
		t.Fatalf("open %s: %v", address, err)
	}
	over, err := chromedp.Run(browser, chromedp.Evaluate[string](overflow))
	if err != nil {
		t.Fatalf("open %s: %v", address, err)
	}
	if over != "" {
		t.Errorf("%s, %s: wider than the window: %s", name, viewport, over)
	}
	photograph(t, browser, strings.ReplaceAll(name, " ", "-")+"-"+viewport+"-"+scheme+".png")
}

func photograph(t *testing.T, browser context.Context, name string) {
	t.Helper()
	folder := os.Getenv("SCREENSHOTS")
	if folder == "" {
		return
	}
	picture, err := chromedp.Run(browser, chromedp.FullScreenshot(100))
	if err = errors.Join(err, os.MkdirAll(folder, 0o755), os.WriteFile(filepath.Join(folder, name), picture, 0o644)); err != nil {
		t.Fatalf("photograph: %v", err)
	}
}

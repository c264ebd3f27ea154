package page_test

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/flashback-sync/flashback-sync/internal/page"
)

// schemes reads the custom properties of the style sheet: light, and dark, which
// takes what it does not name from light.
func schemes(t *testing.T) map[string]map[string]string {
	t.Helper()
	document := written(t, empty(), page.Live)
	light, dark, found := strings.Cut(document, "prefers-color-scheme: dark")
	if !found {
		t.Fatal("there is no dark scheme")
	}
	property := regexp.MustCompile(`--([a-z-]+): (#[0-9a-f]{3,6})\b`)
	all := map[string]map[string]string{"light": {}, "dark": {}}
	for _, m := range property.FindAllStringSubmatch(light, -1) {
		all["light"][m[1]], all["dark"][m[1]] = m[2], m[2]
	}
	dark, _, _ = strings.Cut(dark, "box-sizing")
	for _, m := range property.FindAllStringSubmatch(dark, -1) {
		all["dark"][m[1]] = m[2]
	}
	return all
}

// rgb is linear light, 0 to 1.
func rgb(t *testing.T, hex string) (c [3]float64) {
	t.Helper()
	if len(hex) == 4 {
		hex = "#" + hex[1:2] + hex[1:2] + hex[2:3] + hex[2:3] + hex[3:4] + hex[3:4]
	}
	for i := range c {
		n, err := strconv.ParseUint(hex[1+2*i:3+2*i], 16, 8)
		if err != nil {
			t.Fatal(err)
		}
		if s := float64(n) / 255; s <= 0.04045 {
			c[i] = s / 12.92
		} else {
			c[i] = math.Pow((s+0.055)/1.055, 2.4)
		}
	}
	return c
}

func luminance(c [3]float64) float64 { return 0.2126*c[0] + 0.7152*c[1] + 0.0722*c[2] }

func contrast(a, b [3]float64) float64 {
	x, y := luminance(a)+0.05, luminance(b)+0.05
	return max(x, y) / min(x, y)
}

func TestColoursCanBeRead(t *testing.T) {
	texts := map[string][]string{
		"page": {"ink", "quiet", "link", "ok", "bad", "warn"}, "panel": {"ink", "quiet", "link", "ok", "bad", "warn", "note"},
		"ok-band": {"ink", "quiet", "link", "ok"}, "bad-band": {"ink", "quiet", "link", "bad"}, "warn-band": {"ink", "quiet", "link", "warn"}, "note-band": {"ink", "quiet", "link", "note"},
	}
	marks := []string{"rows", "partly", "gap", "lost", "high", "medium", "low", "unrated", "alerts", "blocked", "in", "out"}
	for scheme, colour := range schemes(t) {
		need := func(mark, ground string, least float64) {
			if colour[mark] == "" || colour[ground] == "" {
				t.Fatalf("%s: no colour %s or %s", scheme, mark, ground)
			}
			if got := contrast(rgb(t, colour[mark]), rgb(t, colour[ground])); got < least {
				t.Errorf("%s: %s on %s has a contrast of %.2f, needs %.1f", scheme, mark, ground, got, least)
			}
		}
		for ground, all := range texts {
			for _, ink := range all {
				need(ink, ground, 4.5)
			}
		}
		for _, mark := range marks {
			need(mark, "panel", 3)
		}
		for _, mark := range []string{"rows", "gap", "partly", "unrated"} { // the chart of the runs is on the page
			need(mark, "page", 3)
		}
	}
}

// Matrices of full colour blindness, for linear light (Machado, Oliveira and
// Fernandes 2009).
var blindness = map[string][9]float64{
	"none":   {1, 0, 0, 0, 1, 0, 0, 0, 1},
	"protan": {0.152286, 1.052583, -0.204868, 0.114503, 0.786281, 0.099216, -0.003882, -0.048116, 1.051998},
	"deutan": {0.367322, 0.860646, -0.227968, 0.280085, 0.672501, 0.047413, -0.011820, 0.042940, 0.968881},
	"tritan": {1.255528, -0.076749, -0.178779, -0.078411, 0.930809, 0.147602, 0.004733, 0.691367, 0.303900},
}

func seenBy(m [9]float64, c [3]float64) (out [3]float64) {
	for i := range out {
		out[i] = min(1, max(0, m[3*i]*c[0]+m[3*i+1]*c[1]+m[3*i+2]*c[2]))
	}
	return out
}

// lab is CIE L*a*b* under D65.
func lab(c [3]float64) [3]float64 {
	f := func(v float64) float64 {
		if v > 216.0/24389 {
			return math.Cbrt(v)
		}
		return (24389.0/27*v + 16) / 116
	}
	x := f((0.4124*c[0] + 0.3576*c[1] + 0.1805*c[2]) / 0.9505)
	y := f(luminance(c))
	z := f((0.0193*c[0] + 0.1192*c[1] + 0.9505*c[2]) / 1.089)
	return [3]float64{116*y - 16, 500 * (x - y), 200 * (y - z)}
}

func TestColourBlindReadersDistinguishColours(t *testing.T) {
	sets := [][]string{{"high", "medium", "low", "unrated"}, {"in", "out"}, {"high", "alerts"}, {"rows", "partly", "gap", "lost"}}
	for scheme, colour := range schemes(t) {
		for blind, matrix := range blindness {
			for _, set := range sets {
				for i, a := range set {
					for _, b := range set[i+1:] {
						x, y := lab(seenBy(matrix, rgb(t, colour[a]))), lab(seenBy(matrix, rgb(t, colour[b])))
						if d := math.Hypot(math.Hypot(x[0]-y[0], x[1]-y[1]), x[2]-y[2]); d < 15 {
							t.Errorf("%s, %s: %s and %s are %.1f apart", scheme, blind, a, b, d)
						}
					}
				}
			}
		}
	}
}

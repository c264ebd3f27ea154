package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestMain lets the test binary play every role: the program starts itself in them.
func TestMain(m *testing.M) {
	if len(os.Args) == 4 && os.Args[1] == "-role" {
		main()
	}
	os.Exit(m.Run())
}

func TestEveryMeasureReports(t *testing.T) {
	if testing.Short() {
		t.Skip("runs a dozen syncs")
	}
	output := filepath.Join(t.TempDir(), "figures.json")
	var stdout, stderr bytes.Buffer
	code := program(t.Context(), []string{"-rows", "1000", "-rounds", "1", "-repeats", "1", "-json", output}, strings.NewReader(""), &stdout, &stderr)
	if code != 0 {
		t.Fatalf("exit %d: %s", code, stderr.String())
	}
	content, err := os.ReadFile(output)
	if err != nil {
		t.Fatal(err)
	}
	var got report
	if err := json.Unmarshal(content, &got); err != nil {
		t.Fatal(err)
	}
	for _, name := range names() {
		found := false
		for _, f := range got.Figures {
			found = found || f.Measure == name
		}
		if !found || !strings.Contains(stdout.String(), name) {
			t.Errorf("%s is not reported", name)
		}
	}
}

func TestTenthsDivideTheRows(t *testing.T) {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	pages := []arrival{{start, 0}}
	for i := range 20 { // the second half at half the rate
		pages = append(pages, arrival{pages[i].at.Add(time.Duration(1+i/10) * time.Second), int64(i+1) * 100})
	}
	got := tenths(pages)
	want := []float64{100, 100, 100, 100, 100, 50, 50, 50, 50, 50}
	if len(got) != len(want) {
		t.Fatalf("%v", got)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("tenth %d: %v rows/s instead of %v", i+1, got[i], want[i])
		}
	}
}

func TestStagesGetTheSamplesOfTheirTime(t *testing.T) {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	at := func(seconds int) time.Time { return start.Add(time.Duration(seconds) * time.Second) }
	var samples []sample
	for i := range 10 {
		samples = append(samples, sample{at: at(i), cpu: time.Duration(i) * time.Second, rss: int64(i), golang: 1})
	}
	cpu, rss, golang := between(samples, at(2), at(5))
	if cpu != 3*time.Second || rss != 5 || golang != 1 {
		t.Errorf("%v %d %d", cpu, rss, golang)
	}
}

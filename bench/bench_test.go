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
	if testing.Short() || os.Getenv("CI") != "" {
		t.Skip("runs a dozen syncs; CI runs make bench-quick")
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

func TestGoalsAreBoundsOfEitherKind(t *testing.T) {
	for _, c := range []struct {
		goal  goal
		value float64
		met   bool
	}{
		{atMost(1.3), 1.3, true},
		{atMost(1.3), 1.31, false},
		{atLeast(30), 30, true},
		{atLeast(30), 29.9, false},
	} {
		if got := c.goal.met(c.value); got != c.met {
			t.Errorf("%v is %s: %t", c.value, c.goal.text(unitRatio), got)
		}
	}
}

func TestTheBestOfEachSideCounts(t *testing.T) {
	runs := []syncRun{{cost: cost{Wall: 3, CPU: 1}}, {cost: cost{Wall: 2, CPU: 2}}}
	if got := leastOf(runs, syncRun.whole); got != (cost{Wall: 2, CPU: 1}) {
		t.Errorf("%v", got)
	}
	if got := best(runs, syncRun.whole); got.cost != runs[1].cost {
		t.Errorf("%v", got.cost)
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

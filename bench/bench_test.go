package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestMain is every role, too: the program starts itself in them.
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

func TestGoalsAreUpperBounds(t *testing.T) {
	for value, met := range map[float64]bool{1.2: true, 1.3: true, 1.31: false} {
		if got := atMost(1.3).met(value); got != met {
			t.Errorf("%v is %s: %t", value, atMost(1.3).text(unitRatio), got)
		}
	}
}

func TestTheLeastOfEachSideCounts(t *testing.T) {
	if got := leastCost([]cost{{Wall: 3, CPU: 1, Peak: 9}, {Wall: 2, CPU: 2, Peak: 8}}); got != (cost{Wall: 2, CPU: 1, Peak: 8}) {
		t.Errorf("%v", got)
	}
}

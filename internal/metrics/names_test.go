package metrics

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
)

// Rules and dashboard may use what is in this file, and nothing else.
func TestTheListForRulesAndDashboardIsTrue(t *testing.T) {
	content, err := os.ReadFile("../../deploy/metrics.txt")
	if err != nil {
		t.Fatal(err)
	}
	listed := slices.DeleteFunc(strings.Split(strings.TrimSpace(string(content)), "\n"), func(line string) bool { return strings.HasPrefix(line, "#") })
	registry := prometheus.NewRegistry()
	registry.MustRegister(collector{full, true})
	all, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var there []string
	for _, f := range all {
		words := []string{f.GetName()}
		for _, label := range f.GetMetric()[0].GetLabel() {
			words = append(words, label.GetName())
		}
		there = append(there, strings.Join(words, " "))
	}
	slices.Sort(listed)
	slices.Sort(there)
	if diff := cmp.Diff(there, listed); diff != "" {
		t.Errorf("deploy/metrics.txt (-there +listed)\n%s", diff)
	}
}

package metrics

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Rules and dashboard may use what is in this file, and nothing else.
func TestTheListForRulesAndDashboardIsTrue(t *testing.T) {
	content, err := os.ReadFile("../../deploy/metrics.txt")
	if err != nil {
		t.Fatal(err)
	}
	listed := slices.DeleteFunc(strings.Split(strings.TrimSpace(string(content)), "\n"), func(line string) bool { return strings.HasPrefix(line, "#") })
	var there []string
	for _, f := range families() {
		there = append(there, strings.Join(append([]string{"flashback_sync_" + f.name}, f.labels...), " "))
	}
	slices.Sort(listed)
	slices.Sort(there)
	if diff := cmp.Diff(there, listed); diff != "" {
		t.Errorf("deploy/metrics.txt (-there +listed)\n%s", diff)
	}
}

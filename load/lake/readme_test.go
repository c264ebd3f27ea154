package lake_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/flashback-sync/flashback-sync/schema"
)

func TestTheReadmeNamesEveryTable(t *testing.T) {
	s := newSite(t)
	s.alerts(alert("a", day(0)))
	s.publish()
	text, err := os.ReadFile(filepath.Join(s.dir, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range schema.Tables() {
		folder, _, published := strings.Cut(table.LakePath(), "*")
		if published && !strings.Contains(string(text), "`"+folder+"YYYY-") {
			t.Errorf("README.md does not name %s", table.LakePath())
		}
	}
}

func TestTheReadmeIsRestoredAndALinkInItsPlaceIsNotFollowed(t *testing.T) {
	s := newSite(t)
	s.alerts(alert("a", day(0)))
	s.publish()
	name, outside := filepath.Join(s.dir, "README.md"), filepath.Join(t.TempDir(), "other")
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	write(t, outside, "of someone else")
	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, name); err != nil {
		t.Fatal(err)
	}
	s.alerts(alert("b", day(1)))
	s.publish()
	if got, err := os.ReadFile(name); err != nil || string(got) != string(want) {
		t.Errorf("README.md is %q, %v", got, err)
	}
	if got, err := os.ReadFile(outside); err != nil || string(got) != "of someone else" {
		t.Errorf("the linked file is %q, %v", got, err)
	}
	if info, err := os.Lstat(name); err != nil || !info.Mode().IsRegular() {
		t.Errorf("README.md is %v, %v", info, err)
	}
}

package lake_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/flashback-sync/flashback-sync/load/lake"
)

// Fault 59: a folder that is a link leads nowhere, neither out of the lake nor to
// another place in it.
func TestLinkedFoldersAreRefused(t *testing.T) {
	for _, place := range []string{".", "alerts", "alerts/date=2024-01-01", "alerts/date=2024-01-02"} {
		for _, where := range []string{"outside", "inside"} {
			for _, manifest := range []string{"kept", "lost"} {
				t.Run(place+" "+where+" manifest "+manifest, func(t *testing.T) {
					s := newSite(t)
					s.alerts(alert("a", day(0)), alert("b", day(1)))
					s.publish()
					target := filepath.Join(s.dir, "elsewhere")
					if where == "outside" || place == "." {
						target = filepath.Join(t.TempDir(), "elsewhere")
					}
					link := filepath.Join(s.dir, place)
					if manifest == "lost" {
						_ = os.Remove(filepath.Join(s.dir, lake.ManifestName))
					}
					if err := errors.Join(os.Rename(link, target), os.Symlink(target, link)); err != nil {
						t.Fatal(err)
					}
					before := modified(t, target)
					s.alerts(alert("c", day(0))) // the second day is only there
					if place == "alerts/date=2024-01-02" {
						s.alerts(alert("b", day(3))) // and has to go
					}
					err := s.attempt(options(s.dir))
					if err == nil || !strings.Contains(err.Error(), filepath.Clean(link)) || !strings.Contains(err.Error(), "remove it") {
						t.Errorf("%v", err)
					}
					if after := modified(t, target); after != before {
						t.Errorf("there was\n%sthere is\n%s", before, after)
					}
				})
			}
		}
	}
}

// A link in the place of a file is replaced by the file, and what it leads to is
// neither believed nor touched.
func TestLinkedFilesAreReplaced(t *testing.T) {
	for _, place := range []string{lake.ManifestName, alertFile(0)} {
		t.Run(place, func(t *testing.T) {
			s := newSite(t)
			s.alerts(alert("a", day(0)))
			s.publish()
			outside, link := t.TempDir(), filepath.Join(s.dir, filepath.FromSlash(place))
			content, err := os.ReadFile(link)
			if err != nil {
				t.Fatal(err)
			}
			canary := strings.ReplaceAll(string(content), s.manifest().Files[0].SHA256, "canary")
			target := filepath.Join(outside, "file")
			write(t, target, canary)
			if err := errors.Join(os.Remove(link), os.Symlink(target, link)); err != nil {
				t.Fatal(err)
			}
			before := modified(t, outside)
			if _, err := lake.ReadManifest(s.dir); place == lake.ManifestName && err == nil {
				t.Error("a linked manifest is read")
			}
			s.publish()
			s.checkManifest()
			if info, err := os.Lstat(link); err != nil || !info.Mode().IsRegular() {
				t.Errorf("still a link: %v, %v", info.Mode(), err)
			}
			if after := modified(t, outside); after != before {
				t.Errorf("there was\n%sthere is\n%s", before, after)
			}
		})
	}
}

// modified lists the files below a folder and when they were written.
func modified(t *testing.T, dir string) (all string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		all += path + " " + info.ModTime().String() + "\n"
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

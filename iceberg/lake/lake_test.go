package lake_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/flashback-sync/flashback-sync/iceberg/internal/lakegen"
	"github.com/flashback-sync/flashback-sync/iceberg/lake"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// open publishes a lake of one day and opens it.
func open(t *testing.T) (*lake.Lake, *lakegen.Lake) {
	t.Helper()
	l, err := lakegen.New(t.TempDir(), 1)
	must(t, err)
	must(t, l.Set("alerts", time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC), 20, 0))
	must(t, l.Set("policy_stats", time.Date(1969, 12, 1, 0, 0, 0, 0, time.UTC), 20, 0))
	must(t, l.Publish(time.Now()))
	opened, err := lake.Open(l.Dir)
	must(t, err)
	t.Cleanup(func() { opened.Close() })
	return opened, l
}

func TestManifestThatBreaksTheContract(t *testing.T) {
	opened, l := open(t)
	name := filepath.Join(l.Dir, "manifest.json")
	good, err := os.ReadFile(name)
	must(t, err)
	for old, change := range map[string]string{
		`"format": 1`:                     `"format": 2`,
		`"generation": 1`:                 `"generation": 0`,
		`alerts/date=2024-02-29/`:         `alerts/date=2024-02-30/`,
		`alerts/date=2024-02-29/alerts.p`: `../../etc/date=2024-02-29/alerts.p`,
		`"path": "alerts/`:                `"path": "violations/`,
		`"sha256": "`:                     `"sha256": "x`,
	} {
		text := strings.Replace(string(good), old, change, 1)
		if text == string(good) {
			t.Fatalf("the manifest has no %s", old)
		}
		must(t, os.WriteFile(name, []byte(text), 0o600))
		_, err := opened.Manifest()
		var broken lake.Error
		if !errors.As(err, &broken) {
			t.Errorf("%s: got %v", change, err)
		}
	}
}

func TestPeriods(t *testing.T) {
	opened, _ := open(t)
	m, err := opened.Manifest()
	must(t, err)
	day, month := m.FilesOf("alerts")[0].Period, m.FilesOf("policy_stats")[0].Period
	if day.Ordinal != 19782 || day.String() != "2024-02-29" {
		t.Errorf("day %d is %s", day.Ordinal, day)
	}
	if month.Ordinal != -1 || month.String() != "1969-12" {
		t.Errorf("month %d is %s", month.Ordinal, month)
	}
}

func TestFilesThatAreNotTheManifests(t *testing.T) {
	opened, l := open(t)
	m, err := opened.Manifest()
	must(t, err)
	file := m.FilesOf("alerts")[0]
	name := filepath.Join(l.Dir, filepath.FromSlash(file.Path))
	content, err := os.ReadFile(name)
	must(t, err)
	content[len(content)/2] ^= 1
	must(t, os.WriteFile(name, content, 0o600))
	if _, err := opened.Rows(file); !errors.Is(err, lake.ErrChanged) {
		t.Errorf("a damaged file: %v", err)
	}
	must(t, os.Remove(name))
	if _, err := opened.Rows(file); !errors.Is(err, lake.ErrChanged) {
		t.Errorf("a missing file: %v", err)
	}
	outside := filepath.Join(t.TempDir(), "outside")
	must(t, os.WriteFile(outside, content, 0o600))
	must(t, os.Symlink(outside, name))
	if _, err := opened.Rows(file); err == nil {
		t.Error("a link out of the lake was followed")
	}
}

package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/flashback-sync/flashback-sync/internal/exit"
)

// manual writes the pages as of SOURCE_DATE_EPOCH and returns them by name.
func manual(t *testing.T, epoch string) map[string]string {
	t.Helper()
	dir := t.TempDir()
	env := func(name string) (string, bool) { return epoch, name == "SOURCE_DATE_EPOCH" }
	var stderr bytes.Buffer
	if code := execute(t.Context(), []string{"man", "--out", dir}, env, io.Discard, &stderr); code != exit.CodeOK {
		t.Fatalf("exit %d: %s", code, &stderr)
	}
	pages := map[string]string{}
	files, err := filepath.Glob(filepath.Join(dir, "*.1"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		pages[filepath.Base(file)] = string(content)
	}
	return pages
}

func TestEveryShownCommandHasAManualPage(t *testing.T) {
	t.Parallel()
	pages := manual(t, "1700000000")
	a := &app{env: func(string) (string, bool) { return "", false }, stdout: io.Discard, stderr: io.Discard}
	for _, command := range a.command().Commands() {
		page, found := pages["flashback-sync-"+command.Name()+".1"]
		if shown := command.IsAvailableCommand() && command.Name() != "help"; found != shown {
			t.Errorf("%s: page %v, shown in the help %v", command.Name(), found, shown)
		}
		if found && !strings.Contains(pages["flashback-sync.1"], "flashback-sync-"+command.Name()+"(1)") {
			t.Errorf("flashback-sync(1) does not list %s", command.Name())
		}
		if found && !strings.Contains(page, "SEE ALSO") {
			t.Errorf("%s: the page ends early:\n%s", command.Name(), page)
		}
	}
}

func TestManualPagesAreTheSameEveryTime(t *testing.T) {
	t.Parallel()
	first, second := manual(t, "1700000000"), manual(t, "1700000000")
	if len(first) == 0 {
		t.Fatal("no pages")
	}
	for name, page := range first {
		if page != second[name] {
			t.Errorf("%s differs from one time to the next", name)
		}
		if !strings.Contains(page, "Nov 2023") {
			t.Errorf("%s is not dated by SOURCE_DATE_EPOCH", name)
		}
	}
}

func TestManualRefusesADateThatIsNone(t *testing.T) {
	t.Parallel()
	env := func(name string) (string, bool) { return "yesterday", name == "SOURCE_DATE_EPOCH" }
	var stderr bytes.Buffer
	if code := execute(t.Context(), []string{"man", "--out", t.TempDir()}, env, io.Discard, &stderr); code != exit.CodeUsage {
		t.Errorf("exit %d, want %d", code, exit.CodeUsage)
	}
	if !strings.Contains(stderr.String(), "SOURCE_DATE_EPOCH") {
		t.Errorf("the message does not name the variable: %s", &stderr)
	}
}

// The manual and README.md are two places for one contract.
func TestManualKnowsTheExitCodesOfTheREADME(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(readme), "## Exit codes")
	section, _, _ = strings.Cut(section, "\n\n"+"On a terminal")
	if codes := strings.Count(section, "·"); codes != len(exit.Meanings)-2 { // 130 and 143 stand together
		t.Errorf("README.md lists %d exit codes, the manual %d", codes+2, len(exit.Meanings))
	}
	page := manual(t, "0")["flashback-sync.1"]
	for _, status := range exit.Meanings {
		if !strings.Contains(section, fmt.Sprint(status.Code)) {
			t.Errorf("README.md does not know %d", status.Code)
		}
		if !strings.Contains(page, fmt.Sprintf("\\fB%d\\fP\n", status.Code)) {
			t.Errorf("the manual does not know %d", status.Code)
		}
	}
}

func TestManualPagesShowWordsAsWritten(t *testing.T) {
	t.Parallel()
	for name, page := range manual(t, "0") {
		if strings.Contains(page, `\fI`) {
			t.Errorf("%s: an underscore or asterisk was read as markup:\n%s", name, page)
		}
	}
	if page := manual(t, "0")["flashback-sync.1"]; !strings.Contains(page, `\fBFLASHBACK_SYNC_*\fP`) {
		t.Error("the page of the program does not name FLASHBACK_SYNC_*")
	}
}

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/flashback-sync/flashback-sync/internal/exit"
)

func TestCommandsRunAfterPublishing(t *testing.T) {
	b := newBench(t)
	t.Setenv("FLASHBACK_TOKEN", canary)
	out := filepath.Join(t.TempDir(), "out")
	b.configure(streamsConfig + `publish:
  after: ["env > ` + out + `; test -f \"$FLASHBACK_LAKE/manifest.json\"", "exit 3", "echo once, more >> ` + out + `"]
`)
	r := b.run("sync")
	if r.code != exit.CodeOther || !strings.Contains(r.stderr, "publish.after: command 2: it ended with exit status 3") {
		t.Errorf("exit code %d, %s", r.code, r.stderr)
	}
	content, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	if text := string(content); strings.Contains(text, canary) || !strings.Contains(text, "FLASHBACK_DATA_DIR="+b.data()) || !strings.HasSuffix(text, "once, more\n") {
		t.Errorf("the commands saw %s", text)
	}
	b.configure(streamsConfig + "publish: {after: [\"true\"]}\n")
	b.must("sync")
}

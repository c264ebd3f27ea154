package serve

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/flashback-sync/flashback-sync/internal/status"
)

func TestPublishedFilesAreReadAgainOnlyIfTheyChanged(t *testing.T) {
	dir := t.TempDir()
	calls := filepath.Join(dir, "calls")
	script := `echo x >> "$0"; echo '{"lake_files": 3}'`
	source, clock := status.Source{DataDir: dir}, noon
	h := &published{
		source: func() status.Source { return source }, now: func() time.Time { return clock },
		child: func(ctx context.Context) *exec.Cmd { return exec.CommandContext(ctx, "sh", "-c", script, calls) },
	}
	read := func() {
		t.Helper()
		if read, err := h.read(t.Context()); err != nil || read.LakeFiles != 3 {
			t.Fatalf("got %+v, %v", read, err)
		}
	}
	count := func() int {
		content, err := os.ReadFile(calls)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Count(string(content), "x")
	}
	read()
	read()
	if n := count(); n != 1 {
		t.Errorf("%d children for two reads", n)
	}
	if err := os.WriteFile(filepath.Join(dir, "flashback.duckdb"), []byte("new"), 0o600); err != nil {
		t.Fatal(err)
	}
	read()
	if n := count(); n != 2 {
		t.Errorf("%d children after a file was published", n)
	}

	source.Names = true
	read()
	if n := count(); n != 3 {
		t.Errorf("%d children after names were wanted", n)
	}

	good := script
	script = `echo "flashback-sync: no such luck" >&2; exit 6`
	if err := os.WriteFile(filepath.Join(dir, "flashback.duckdb"), []byte("newer"), 0o600); err != nil {
		t.Fatal(err)
	}
	last, err := h.read(t.Context())
	if err == nil || err.Error() != "no such luck" || last == nil || last.LakeFiles != 3 {
		t.Errorf("got %+v, %v; want what was read before, and why there is nothing newer", last, err)
	}
	script = good
	if _, err := h.read(t.Context()); err == nil {
		t.Error("it was tried again at once")
	}
	clock = clock.Add(retryAfter + time.Second)
	read() // though no file has changed
}

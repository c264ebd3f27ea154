package query_test

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/flashback-sync/flashback-sync/internal/query"
)

func TestAFullDiskLeavesTheFileAsItIs(t *testing.T) {
	path, dir := published(t), t.TempDir()
	if err := syscall.Mount("none", dir, "tmpfs", 0, "size=256k"); errors.Is(err, syscall.EPERM) {
		t.Skip("only root may mount")
	} else if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	for _, format := range query.Formats() {
		target := filepath.Join(dir, "out."+format)
		if err := os.WriteFile(target, []byte("old"), 0o600); err != nil {
			t.Fatal(err)
		}
		r := query.Request{Database: path, SQL: "SELECT md5(range::VARCHAR) AS a FROM range(20000)", Format: format, Limits: query.DefaultLimits()}
		if _, err := query.Export(t.Context(), r, nil, target, filepath.Dir(path)); err == nil {
			t.Errorf("%s: no error", format)
		}
		if content, err := os.ReadFile(target); err != nil || string(content) != "old" || len(names(t, dir)) != 1 {
			t.Errorf("%s: %.20q, %v, %v", format, content, err, names(t, dir))
		}
		if err := os.Remove(target); err != nil {
			t.Fatal(err)
		}
	}
}

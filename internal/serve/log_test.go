package serve

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rs/zerolog"
)

func TestServeRemovesAForeignLog(t *testing.T) {
	var logged bytes.Buffer
	s := &Server{log: zerolog.New(&logged), options: Options{Place: &Place{dataDir: t.TempDir()}}}
	s.removeForeignLog()
	if logged.Len() > 0 {
		t.Errorf("without a log: %s", logged.String())
	}
	path := filepath.Join(s.options.Place.dataDir, "flashback.duckdb.wal")
	if err := os.WriteFile(path, []byte("foreign"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.removeForeignLog()
	if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) || !strings.Contains(logged.String(), "open it read-only") {
		t.Errorf("%v, %s", err, logged.String())
	}
}

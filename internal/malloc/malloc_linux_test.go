package malloc_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	_ "github.com/duckdb/duckdb-go/v2"

	_ "github.com/flashback-sync/flashback-sync/internal/malloc"
)

// TestMain ends at once in the process that the test starts.
func TestMain(m *testing.M) {
	if os.Getenv(confirm) != "" {
		return
	}
	os.Exit(m.Run())
}

// confirm is the environment variable of DuckDB's jemalloc.
const confirm = "DUCKDB_JE_MALLOC_CONF"

// A DuckDB that no longer reads the settings would only be larger.
func TestDuckDBReadsTheSettings(t *testing.T) {
	again := exec.Command(os.Args[0]) // this very test, which ends at once
	again.Env = append(os.Environ(), confirm+"=confirm_conf:true")
	said, err := again.CombinedOutput()
	if err != nil {
		t.Fatal(err)
	}
	for _, setting := range []string{"narenas:1", "muzzy_decay_ms:0"} {
		if !strings.Contains(string(said), "Set conf value: "+setting) {
			t.Errorf("%s was not set: %s", setting, said)
		}
	}
}

package torture

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
)

// program is the binary that is judged.
var program string

func TestMain(m *testing.M) {
	if what := os.Getenv(asReader); what != "" {
		if err := readAll(what, os.Getenv(asReader+"_DATA")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	flag.Parse()
	manyAtOnce()
	os.Exit(withProgram(m.Run))
}

// manyAtOnce runs more tests at once than there are cores: they wait for disks and
// other processes.
func manyAtOnce() {
	chosen := false
	flag.Visit(func(f *flag.Flag) { chosen = chosen || f.Name == "test.parallel" })
	if !chosen {
		_ = flag.Set("test.parallel", "4")
	}
}

func withProgram(run func() int) int {
	if program = os.Getenv("TORTURE_BIN"); program != "" {
		return run()
	}
	dir, err := os.MkdirTemp("", "torture-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	program = filepath.Join(dir, "flashback-sync")
	build := exec.Command("go", "build", "-tags", "duckdb_arrow", "-o", program, "../../cmd/flashback-sync")
	var output bytes.Buffer
	build.Stdout, build.Stderr = &output, &output
	if err := build.Run(); err != nil {
		fmt.Fprintf(os.Stderr, "build the program: %v\n%s", err, output.String())
		return 1
	}
	return run()
}

// fromEnv is a whole number that the environment may set.
func fromEnv(t *testing.T, name string, otherwise int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// exhaustive reports whether every system call is to be tried.
func exhaustive() bool { return os.Getenv("TORTURE_ALL") != "" }

// long skips a test that takes more than a few seconds.
func long(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("takes long")
	}
}

// lacking ends a test that this machine cannot run. In CI that is a failure:
// there a check must not vanish unseen.
func lacking(t *testing.T, reason string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatal(reason)
	}
	t.Skip(reason)
}

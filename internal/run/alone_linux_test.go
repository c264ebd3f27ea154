package run_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/flashback-sync/flashback-sync/internal/apisim"
)

// aloneDir is set for a test that runs in a process of its own; it names a folder
// that both processes know.
const aloneDir = "TEST_ALONE_DIR"

// alone runs the test once more, in a process of its own under the wrapper, and
// returns a world there, whose data_dir the wrapper knows; nil elsewhere.
func alone(t *testing.T, o apisim.Options, wrapper func(dir string) []string) *world {
	t.Helper()
	if dir := os.Getenv(aloneDir); dir != "" {
		w, end := makeWorld(t, dir, o)
		t.Cleanup(end)
		return w
	}
	dir := t.TempDir()
	command := wrapper(dir)
	if _, err := exec.LookPath(command[0]); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("CI has to have %s: %v", command[0], err)
		}
		t.Skipf("needs %s", command[0])
	}
	if out, err := exec.Command(command[0], append(command[1:], "true")...).CombinedOutput(); err != nil {
		t.Skipf("%s may not do this here: %v %s", command[0], err, out)
	}
	command = append(command, os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	child := exec.Command(command[0], command[1:]...)
	child.Env = append(os.Environ(), aloneDir+"="+dir)
	if out, err := child.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
	return nil
}

// injecting is a wrapper that lets system calls on the file fail.
func injecting(path, fault string) []string {
	call, _, _ := strings.Cut(fault, ":")
	return []string{"strace", "-f", "--seccomp-bpf", "-qq", "-o", os.DevNull, "-P", path, "-e", "trace=" + call, "-e", "inject=" + fault}
}

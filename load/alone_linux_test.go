package load_test

import (
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
)

// aloneDir is set for a test that runs in a process of its own; it names a folder
// that both processes know.
const aloneDir = "TEST_ALONE_DIR"

// alone runs the test once more, in a process of its own under the wrapper, and
// reports whether this is that process. The wrapper gets the folder's path.
func alone(t *testing.T, wrapper func(dir string) []string) bool {
	t.Helper()
	if os.Getenv(aloneDir) != "" {
		runtime.LockOSThread() // strace counts each thread's calls by themselves
		return true
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
	return false
}

// mounting is a wrapper that lets the test mount file systems of its own.
func mounting(string) []string { return []string{"unshare", "-rm"} }

// injecting is a wrapper that lets system calls on the file fail.
func injecting(path, fault string) []string {
	call, _, _ := strings.Cut(fault, ":")
	return []string{"strace", "-f", "--seccomp-bpf", "-qq", "-o", os.DevNull, "-P", path, "-e", "trace=" + call, "-e", "inject=" + fault}
}

package torture

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/flashback-sync/flashback-sync/internal/apisim"
)

const token = "torture-token"

var noon = time.Date(2026, 3, 18, 12, 34, 56, 0, time.UTC)

// world is a simulated source and a folder that the program syncs it to.
type world struct {
	t    *testing.T
	sim  *apisim.Sim
	url  string
	dir  string // holds the configuration
	data string // data_dir
	env  []string

	settings string // further lines of the configuration

	begins  string          // from where on rows are synced
	deleted map[string]bool // ids that the source does not give any more; they may be stored
	changes int
}

func newWorld(t *testing.T, seed uint64) *world {
	t.Helper()
	return worldOf(t, "2026-03-10", apisim.Options{Seed: seed, Days: 4, AlertsPerDay: 120, ViolationsPerDay: 80})
}

func worldOf(t *testing.T, begins string, o apisim.Options) *world {
	t.Helper()
	o.Now, o.Token, o.NoLog = noon, token, true
	w := &world{t: t, sim: apisim.New(o), dir: t.TempDir(), begins: begins, deleted: map[string]bool{}}
	var stop func()
	w.url, stop = w.sim.Start()
	t.Cleanup(stop)
	w.useFolder(filepath.Join(w.dir, "data"))
	return w
}

// useFolder makes the following runs use another data_dir.
func (w *world) useFolder(data string) {
	w.t.Helper()
	w.data = data
	content := fmt.Sprintf(`api: {base_url: %[1]q, max_concurrency: 2}
data_dir: %[2]q
streams:
  alerts: {start: %[3]s}
  violations: {start: %[3]s}
  policy_stats: {start: 2026-03-15, scopes: [{scope: org}]}
%[4]s`, w.url, data, w.begins, w.settings)
	if err := os.WriteFile(w.config(), []byte(content), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) config() string { return filepath.Join(w.dir, "flashback-sync.yaml") }

func (w *world) private() string { return filepath.Join(w.data, "state", "warehouse.duckdb") }

// command is the program with arguments, not started yet.
func (w *world) command(args ...string) *exec.Cmd {
	c := exec.Command(program, append([]string{"--config", w.config()}, args...)...)
	c.Env = append([]string{"FLASHBACK_TOKEN=" + token, "HOME=" + w.dir, "TMPDIR=" + w.dir, "PATH=" + os.Getenv("PATH")}, w.env...)
	return c
}

// result is how a run ended.
type result struct {
	code           int // -1 if a signal ended it
	stdout, stderr string
	took           time.Duration
	state          *os.ProcessState
}

const patience = time.Minute

// process is the program at work.
type process struct {
	*exec.Cmd
	stdout, stderr bytes.Buffer
	began          time.Time
}

func (w *world) start(args ...string) *process {
	w.t.Helper()
	p := &process{Cmd: w.command(args...), began: time.Now()}
	p.Stdout, p.Stderr = &p.stdout, &p.stderr
	if err := p.Start(); err != nil {
		w.t.Fatal(err)
	}
	return p
}

// end waits for the program. One that hangs is killed and fails the test.
func (w *world) end(p *process) result {
	w.t.Helper()
	hung := time.AfterFunc(patience, func() { _ = p.Process.Kill() })
	_ = p.Wait()
	if !hung.Stop() {
		w.t.Errorf("the program did not end:\n%s", p.stderr.String())
	}
	return result{p.ProcessState.ExitCode(), p.stdout.String(), p.stderr.String(), time.Since(p.began), p.ProcessState}
}

func (w *world) run(args ...string) result {
	w.t.Helper()
	return w.end(w.start(args...))
}

// sync is the run that is left alone: it must succeed. alone is false if a SIGKILL
// ended it that is not ours, such as the machine's when it runs out of something;
// no program sends that to itself.
func (w *world) sync() (r result, alone bool) {
	w.t.Helper()
	if r, alone = w.syncAlone(); alone && r.code != 0 {
		w.t.Errorf("a run that was left alone: exit %d (%v)\n%s%s", r.code, r.state, r.stdout, r.stderr)
	}
	return r, alone
}

// syncAlone is sync, whatever the exit code.
func (w *world) syncAlone() (r result, alone bool) {
	w.t.Helper()
	r = w.run("sync", "--json")
	if status, ok := r.state.Sys().(syscall.WaitStatus); ok && status.Signaled() && status.Signal() == syscall.SIGKILL {
		w.t.Logf("killed by somebody else after %v", r.took)
		return r, false
	}
	return r, true
}

// must is a run that nobody kills.
func (w *world) must() result {
	w.t.Helper()
	r, alone := w.sync()
	if !alone {
		w.t.Error("a run was killed")
	}
	return r
}

// complaint is what a failed run says to a person: stderr without the log.
func complaint(stderr string) string {
	var lines []string
	for line := range strings.Lines(stderr) {
		if !strings.HasPrefix(line, "{") {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "")
}

// toldClearly reports whether the complaint is one line and a hint.
func toldClearly(complaint string) bool {
	lines := strings.Split(strings.TrimSuffix(complaint, "\n"), "\n")
	return len(lines) == 2 && strings.HasPrefix(lines[0], "flashback-sync: ") && strings.HasPrefix(lines[1], "  ")
}

// crashed reports whether the program ended as no program should.
func crashed(r result) bool {
	for _, sign := range []string{"goroutine ", "panic:", "fatal error:", "SIGSEGV", "SIGABRT", "terminate called"} {
		if strings.Contains(r.stderr, sign) {
			return true
		}
	}
	return r.code == -1 || r.code == 2
}

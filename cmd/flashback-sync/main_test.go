package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"
	"go.uber.org/goleak"

	"github.com/flashback-sync/flashback-sync/internal/apisim"
)

// asProgram makes the test binary the program itself, so that it can be killed.
const asProgram = "TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	text.DisableColors()
	manyAtOnce()
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		removeFirstRuns()
		os.Exit(code)
	}))
}

// manyAtOnce runs more tests at once than there are cores: they wait for disks and
// other processes most of the time.
func manyAtOnce() {
	flag.Parse()
	chosen := false
	flag.Visit(func(f *flag.Flag) { chosen = chosen || f.Name == "test.parallel" })
	if !chosen {
		_ = flag.Set("test.parallel", "8")
	}
}

// canary is the token. It must appear nowhere.
const canary = "canary-5f1d7c3e9b"

var noon = time.Date(2026, 3, 18, 12, 34, 56, 0, time.UTC)

// bench is a simulated source and a folder with a configuration for it.
type bench struct {
	t      testing.TB
	sim    *apisim.Sim
	url    string
	dir    string // holds the configuration and data/
	config string
	rest   string // of the configuration, but for the source and the folder
	env    map[string]string
}

const streamsConfig = `
streams:
  alerts: {start: 2026-03-10}
  violations: {start: 2026-03-10}
  policy_stats: {start: 2026-03-13, scopes: [{scope: org}]}
`

// oneStream is for tests in which the streams do not matter.
const oneStream = "streams: {alerts: {start: 2026-03-15}}\n"

func newBench(t testing.TB) *bench {
	t.Helper()
	b := &bench{t: t, dir: t.TempDir(), env: map[string]string{"FLASHBACK_TOKEN": canary}}
	b.sim = apisim.New(apisim.Options{Seed: 7, Now: noon, Days: 4, AlertsPerDay: 120, ViolationsPerDay: 80, Token: canary})
	var stop func()
	b.url, stop = b.sim.Start()
	t.Cleanup(stop)
	b.config = filepath.Join(b.dir, "flashback-sync.yaml")
	b.configure(streamsConfig)
	t.Cleanup(func() {
		if !t.Failed() {
			searchFolder(t, b.dir)
		}
	})
	return b
}

// configure writes the configuration: source, folder, and the rest as given.
func (b *bench) configure(rest string) {
	b.t.Helper()
	b.rest = rest
	content := fmt.Sprintf("api: {base_url: %q}\ndata_dir: %q\n%s", b.url, b.data(), rest)
	if err := os.WriteFile(b.config, []byte(content), 0o600); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) data() string { return filepath.Join(b.dir, "data") }

// result is what a command did.
type result struct {
	code           int
	stdout, stderr string
}

// run runs a command within this process.
func (b *bench) run(args ...string) result {
	b.t.Helper()
	return b.runIn(context.Background(), args...)
}

func (b *bench) runIn(ctx context.Context, args ...string) result {
	b.t.Helper()
	env := func(name string) (string, bool) {
		value, set := b.env[name]
		return value, set
	}
	var stdout, stderr bytes.Buffer
	if b.config != "" {
		args = append([]string{"--config", b.config}, args...)
	}
	code := execute(ctx, args, env, &stdout, &stderr)
	r := result{code, stdout.String(), stderr.String()}
	if strings.Contains(r.stdout+r.stderr, canary) {
		b.t.Errorf("%v: the output holds the token", args)
	}
	return r
}

// must runs a command that has to succeed.
func (b *bench) must(args ...string) result {
	b.t.Helper()
	r := b.run(args...)
	if r.code != 0 {
		b.t.Fatalf("%v: exit %d\n%s%s", args, r.code, r.stdout, r.stderr)
	}
	return r
}

// wants runs a command that has to end with the code and one clear line that
// holds the text.
func (b *bench) wants(code int, text string, args ...string) result {
	b.t.Helper()
	r := b.run(args...)
	if r.code != code || !strings.Contains(r.stderr, text) {
		b.t.Errorf("%v: exit %d, want %d; stderr lacks %q:\n%s", args, r.code, code, text, r.stderr)
	}
	return r
}

// process is the program running as a process of its own.
type process struct {
	*exec.Cmd
	stdout, stderr bytes.Buffer
}

func (b *bench) start(args ...string) *process {
	b.t.Helper()
	program, err := os.Executable()
	if err != nil {
		b.t.Fatal(err)
	}
	p := &process{Cmd: exec.Command(program, append([]string{"--config", b.config}, args...)...)}
	p.Env = []string{asProgram + "=1", "PATH=" + os.Getenv("PATH"), "HOME=" + b.dir, "TMPDIR=" + b.dir}
	for name, value := range b.env {
		p.Env = append(p.Env, name+"="+value)
	}
	p.Stdout, p.Stderr = &p.stdout, &p.stderr
	if err := p.Start(); err != nil {
		b.t.Fatal(err)
	}
	return p
}

// end waits for the process and gives its exit code, -1 if a signal ended it.
func (b *bench) end(p *process) result {
	b.t.Helper()
	done := make(chan error, 1)
	go func() { done <- p.Wait() }()
	select {
	case <-done:
	case <-time.After(2 * time.Minute):
		_ = p.Process.Kill()
		<-done
		b.t.Errorf("the process did not end:\n%s", p.stderr.String())
	}
	r := result{p.ProcessState.ExitCode(), p.stdout.String(), p.stderr.String()}
	if strings.Contains(r.stdout+r.stderr, canary) {
		b.t.Error("the output holds the token")
	}
	return r
}

// searchFolder looks for the token in every file.
func searchFolder(t testing.TB, dir string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) { // a process that ends removes its files
			return nil
		}
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		file, err := os.Open(path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		defer func() { _ = file.Close() }()
		content, err := io.ReadAll(file)
		if bytes.Contains(content, []byte(canary)) {
			t.Errorf("%s holds the token", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func lastLine(s string) string {
	lines := strings.Split(strings.TrimRight(s, "\n"), "\n")
	return lines[len(lines)-1]
}

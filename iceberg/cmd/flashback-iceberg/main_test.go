package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/flashback-sync/flashback-sync/iceberg/internal/lakegen"
)

// TestMain lets the test binary be the program, for tests that kill it.
func TestMain(m *testing.M) {
	if os.Getenv("FLASHBACK_ICEBERG_TEST_PROGRAM") != "" {
		main()
	}
	os.Exit(m.Run())
}

// program is the program as a process of its own.
func program(t *testing.T, env []string, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	must(t, err)
	c := exec.Command(self, args...)
	c.Env = append(os.Environ(), append(env, "FLASHBACK_ICEBERG_TEST_PROGRAM=1")...)
	return c
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func day(n int) time.Time { return time.Date(2026, 1, 1+n, 0, 0, 0, 0, time.UTC) }

// place is where a test's tables are.
type place struct{ catalog, warehouse string }

func somewhere(t *testing.T) place {
	t.Helper()
	dir := t.TempDir()
	return place{"sqlite://" + filepath.Join(dir, "catalog.db"), "file://" + filepath.Join(dir, "warehouse")}
}

func newLake(t *testing.T, days int) *lakegen.Lake {
	t.Helper()
	l, err := lakegen.New(t.TempDir(), 1)
	must(t, err)
	for n := range days {
		must(t, l.Set("alerts", day(n), 40, 0))
	}
	must(t, l.Set("policy_stats", day(0), 40, 0))
	must(t, l.Publish(day(days)))
	return l
}

// invoke runs the program within the test.
func invoke(t *testing.T, env map[string]string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, err bytes.Buffer
	code = execute(t.Context(), args, func(name string) (string, bool) {
		value, set := env[name]
		return value, set
	}, &out, &err)
	return code, out.String(), err.String()
}

func (p place) env(l *lakegen.Lake) map[string]string {
	return map[string]string{
		"FLASHBACK_ICEBERG_CATALOG": p.catalog, "FLASHBACK_ICEBERG_WAREHOUSE": p.warehouse, "FLASHBACK_ICEBERG_LAKE": l.Dir,
	}
}

func TestCommands(t *testing.T) {
	l := newLake(t, 3)
	env := somewhere(t).env(l)
	for _, step := range []struct {
		args []string
		code int
		want string // in stdout or stderr
	}{
		{[]string{"status"}, 0, "1 differ from the lake"},
		{[]string{"verify"}, 9, "missing"},
		{[]string{"push", "--json"}, 0, `"status":"ok"`},
		{[]string{"push"}, 0, "up to date"},
		{[]string{"verify"}, 0, " 0 differences"},
		{[]string{"verify", "--json", "--quick"}, 0, `"differences":[]`},
		{[]string{"status", "--json"}, 0, `"up_to_date":true`},
		{[]string{"push", "--org", "other"}, 0, "3 partitions written"},
		{[]string{"maintain"}, 0, "snapshots expired"},
		{[]string{"forget"}, 0, "3 data files are left, all of them current but 0"},
		{[]string{"verify"}, 0, " 0 differences"},
		{[]string{"verify", "--org", "other"}, 0, " 0 differences"},
	} {
		code, stdout, stderr := invoke(t, env, step.args...)
		if code != step.code || !strings.Contains(stdout+stderr, step.want) {
			t.Fatalf("%v: exit %d, want %d with %q\n%s%s", step.args, code, step.code, step.want, stdout, stderr)
		}
	}
}

func TestExitCodes(t *testing.T) {
	l := newLake(t, 1)
	p := somewhere(t)
	broken := t.TempDir()
	must(t, os.WriteFile(filepath.Join(broken, "manifest.json"), []byte(`{"format":1,"gener`), 0o600))
	newer := t.TempDir()
	must(t, os.WriteFile(filepath.Join(newer, "manifest.json"), []byte(`{"format":2,"generation":1}`), 0o600))
	file := filepath.Join(t.TempDir(), "file")
	must(t, os.WriteFile(file, nil, 0o600))
	for name, c := range map[string]struct {
		args []string
		code int
		want string
	}{
		"no catalog":        {[]string{"push", "--lake", l.Dir}, 2, "no catalog is given"},
		"no lake":           {[]string{"push", "--catalog", p.catalog, "--warehouse", p.warehouse}, 2, "no lake is given"},
		"unknown flag":      {[]string{"push", "--nonsense"}, 2, "unknown flag"},
		"argument":          {[]string{"push", "x", "--catalog", p.catalog}, 2, "takes no arguments"},
		"unknown catalog":   {[]string{"push", "--lake", l.Dir, "--catalog", "mysql://x"}, 2, "is not known"},
		"plain http":        {[]string{"push", "--lake", l.Dir, "--catalog", "rest+http://example.org/"}, 2, "rest+https"},
		"bad org":           {[]string{"push", "--lake", l.Dir, "--catalog", p.catalog, "--org", "../x"}, 2, "letters, digits"},
		"password argument": {[]string{"push", "--lake", l.Dir, "--catalog", "postgresql://u:hunter22@h/db"}, 2, "arguments are visible"},
		"no such lake":      {[]string{"push", "--lake", l.Dir + "-none", "--catalog", p.catalog, "--warehouse", p.warehouse}, 5, "check --lake"},
		"half a manifest":   {[]string{"push", "--lake", broken, "--catalog", p.catalog, "--warehouse", p.warehouse}, 5, "not complete JSON"},
		"newer format":      {[]string{"push", "--lake", newer, "--catalog", p.catalog, "--warehouse", p.warehouse}, 5, "format 2"},
		"no database":       {[]string{"push", "--lake", l.Dir, "--catalog", "postgresql://localhost:1/db", "--warehouse", p.warehouse}, 6, "push again"},
		"no REST catalog":   {[]string{"push", "--lake", l.Dir, "--catalog", "rest+http://127.0.0.1:1", "--warehouse", p.warehouse}, 6, "push again"},
		"no warehouse":      {[]string{"push", "--lake", l.Dir, "--catalog", p.catalog, "--warehouse", "file://" + file + "/below"}, 6, "push again"},
		"young orphans":     {[]string{"maintain", "--catalog", p.catalog, "--warehouse", p.warehouse, "--orphans", "1h"}, 2, "--orphans"},
	} {
		t.Run(name, func(t *testing.T) {
			code, stdout, stderr := invoke(t, nil, c.args...)
			if code != c.code || !strings.Contains(stdout+stderr, c.want) {
				t.Errorf("exit %d, want %d with %q\n%s%s", code, c.code, c.want, stdout, stderr)
			}
			if strings.Contains(stdout+stderr, "hunter22") {
				t.Error("the output has the password")
			}
		})
	}
}

func TestNoOutputHasASecret(t *testing.T) {
	l := newLake(t, 1)
	env := map[string]string{
		"FLASHBACK_ICEBERG_CATALOG":   "postgresql://user:canary%2Fword@127.0.0.1:1/db?connect_timeout=1",
		"FLASHBACK_ICEBERG_WAREHOUSE": "file:///tmp/none", "FLASHBACK_ICEBERG_LAKE": l.Dir,
	}
	code, stdout, stderr := invoke(t, env, "push")
	if code != 6 || strings.Contains(stdout+stderr, "canary") {
		t.Errorf("exit %d\n%s%s", code, stdout, stderr)
	}
}

func TestSettings(t *testing.T) {
	file := filepath.Join(t.TempDir(), "config.yaml")
	must(t, os.WriteFile(file, []byte("lake: /from/file\ncatalog: sqlite:///from/file\norg: from-file\nstorage:\n  s3.endpoint: http://file\n"), 0o600))
	env := func(name string) (string, bool) {
		value, set := map[string]string{"FLASHBACK_ICEBERG_ORG": "from-env", "FLASHBACK_ICEBERG_S3_REGION": "eu"}[name]
		return value, set
	}
	s := settings{file: file, Lake: "/from/flag"}
	must(t, s.load(env))
	if s.Lake != "/from/flag" || s.Org != "from-env" || s.Catalog != "sqlite:///from/file" || s.Namespace != "flashback" {
		t.Errorf("%+v", s)
	}
	if s.Storage["s3.endpoint"] != "http://file" || s.Storage["s3.region"] != "eu" {
		t.Errorf("storage: %v", s.Storage)
	}
	for content, want := range map[string]string{
		"lakes: x": "lakes", "storage:\n  s3.secret-access-key: x": "is a secret", "catalog: postgresql://u:pw@h/d": "has a password",
	} {
		must(t, os.WriteFile(file, []byte(content+"\n"), 0o600))
		s := settings{file: file}
		if err := s.load(env); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", content, err)
		}
	}
}

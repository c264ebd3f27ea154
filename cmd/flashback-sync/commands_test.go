package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"

	"github.com/flashback-sync/flashback-sync/internal/apisim"
	"github.com/flashback-sync/flashback-sync/internal/exit"
	"github.com/flashback-sync/flashback-sync/schema"
)

func TestVersion(t *testing.T) {
	t.Parallel()
	b := &bench{t: t}
	pattern := regexp.MustCompile(`^flashback-sync \S+ \(schema \d+, DuckDB v\d+\.\d+\.\d+, go\S+ \w+/\w+\)\n$`)
	if out := b.must("version").stdout; !pattern.MatchString(out) {
		t.Errorf("%q", out)
	}
	if out := b.must("--version").stdout; !strings.Contains(out, version) {
		t.Errorf("%q", out)
	}
}

func TestHelpNamesEveryCommand(t *testing.T) {
	t.Parallel()
	b := &bench{t: t}
	out := b.must("--help").stdout
	for _, name := range []string{"sync", "demo", "status", "query", "verify", "repair", "serve", "report", "init", "check", "schema", "version", "completion"} {
		if !strings.Contains(out, "\n  "+name+" ") {
			t.Errorf("the help lacks %s:\n%s", name, out)
		}
		b.must(name, "--help")
	}
	if got := b.must().stdout; got != out {
		t.Errorf("without a command:\n%s", got)
	}
}

func TestCompletion(t *testing.T) {
	t.Parallel()
	b := &bench{t: t}
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		if out := b.must("completion", shell).stdout; !strings.Contains(out, "flashback-sync") || len(out) < 1000 {
			t.Errorf("%s: %q", shell, out)
		}
	}
}

func TestSchemaFormats(t *testing.T) {
	t.Parallel()
	b := &bench{t: t}
	if out := b.must("schema").stdout; !strings.HasPrefix(out, "# Data dictionary") || !strings.Contains(out, "## violations") {
		t.Errorf("markdown:\n%.300s", out)
	}
	var dictionary struct {
		Tables []struct {
			Name    string
			Columns []struct{ Name, Description string }
		}
	}
	if err := json.Unmarshal([]byte(b.must("schema", "--format", "json").stdout), &dictionary); err != nil || len(dictionary.Tables) != len(schema.Tables()) {
		t.Errorf("%v, %d tables", err, len(dictionary.Tables))
	}
	if out := b.must("schema", "-f", "sql").stdout; strings.Count(out, "CREATE TABLE") != len(schema.Tables()) || !strings.Contains(out, "COMMENT ON COLUMN") {
		t.Errorf("sql:\n%.300s", out)
	}
	var dbt struct {
		Version int
		Sources []struct{ Tables []struct{ Name string } }
	}
	if err := yaml.Unmarshal([]byte(b.must("schema", "-f", "dbt").stdout), &dbt); err != nil || dbt.Version != 2 || len(dbt.Sources) != 2 || len(dbt.Sources[0].Tables) != len(schema.Tables()) {
		t.Errorf("dbt: %v, %+v", err, dbt)
	}
}

func TestInitWritesAConfigurationThatPassesCheck(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.config = filepath.Join(t.TempDir(), "new.yaml")
	out := b.must("init").stdout
	if !strings.Contains(out, b.config) || !strings.Contains(out, "check") {
		t.Errorf("it does not say what to do next:\n%s", out)
	}
	first, err := os.ReadFile(b.config)
	if err != nil {
		t.Fatal(err)
	}
	beside, err := os.ReadFile(filepath.Join(filepath.Dir(b.config), schemaName))
	if err != nil || !json.Valid(beside) {
		t.Errorf("the schema beside it: %v", err)
	}
	b.wants(2, "--force", "init")
	if err := os.WriteFile(b.config, append(first, "# mine\n"...), 0o600); err != nil {
		t.Fatal(err)
	}
	b.wants(2, "--force", "init")
	if kept, _ := os.ReadFile(b.config); !strings.HasSuffix(string(kept), "# mine\n") {
		t.Error("it was overwritten")
	}
	b.must("init", "--force")
	if again, _ := os.ReadFile(b.config); string(again) != string(first) {
		t.Error("--force did not replace it")
	}
	b.env["FLASHBACK_SYNC_API_BASE_URL"], b.env["FLASHBACK_SYNC_DATA_DIR"] = b.url, b.data()
	b.env["FLASHBACK_SYNC_STREAMS_POLICY_STATS_START"] = "2026-03-17"
	checked := b.must("check").stdout
	for _, want := range []string{"valid", b.url, "alerts", "violations", "policy_stats", strconv.Itoa(b.sim.Len(apisim.Alerts))} {
		if !strings.Contains(checked, want) {
			t.Errorf("check does not say %q:\n%s", want, checked)
		}
	}
	if _, err := os.Stat(b.data()); !os.IsNotExist(err) {
		t.Errorf("check wrote data_dir: %v", err)
	}
	b.must("sync")
	b.complete()
}

func TestCheckTellsWhatIsWrong(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.sim.SetToken("another")
	if r := b.wants(4, "HTTP 401", "check"); !strings.Contains(r.stdout, "failed") {
		t.Errorf("%s", r.stdout)
	}
	b.sim.SetToken(canary)
	b.sim.SetSemantics(apisim.Semantics{NoViolations: true})
	b.configure("streams:\n  alerts: {start: 2026-03-10}\n  violations: {optional: false}\n")
	b.wants(5, "404", "check")
	b.configure("streams:\n  alerts: {start: 2026-03-10}\n  violations: {optional: true}\n")
	if out := b.must("check").stdout; !strings.Contains(out, "optional") {
		t.Errorf("%s", out)
	}
}

// Where no file is published that could be asked, it is all there is to show.
func TestStatusTellsWhatIsWrongWithoutThePublishedFile(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.configure(streamsConfig + "publish: {duckdb: off}\n")
	b.env["FLASHBACK_TOKEN"] = "wrong"
	b.wants(exit.CodeUnauthorized, "HTTP 401", "sync")
	r := b.run("status")
	if r.code != exit.CodeOK || !strings.Contains(r.stdout, "the last run failed") || !strings.Contains(r.stdout, "HTTP 401") {
		t.Errorf("exit %d\n%s\n%s", r.code, r.stdout, r.stderr)
	}
	if r := b.run("status", "--json"); r.code != exit.CodeOK || !strings.Contains(r.stdout, "HTTP 401") {
		t.Errorf("exit %d\n%s", r.code, r.stdout)
	}
}

// A stream of which one query was never covered is not up to date.
func TestStatusOfAStreamThatWasNeverComplete(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	if out := b.wants(exit.CodeStorage, "sync", "status").stdout; strings.Contains(out, "No problems") || !strings.Contains(out, "nothing is published yet") {
		t.Errorf("before the first run: %s", out)
	}
	known := b.sim.Organisation().Policies[0].ID
	streams := "streams:\n  alerts: {start: 2026-03-17}\n  violations: {start: 2026-03-17, optional: false, policies: [" + known + "%s]}\nalarms: {stale_after: 0s}\n" // the simulator's clock is far behind
	b.configure(fmt.Sprintf(streams, ""))
	b.must("sync")
	out := b.must("status").stdout
	if !strings.Contains(out, "No problems found.") || !strings.Contains(out, "Last complete sync: ") || !strings.Contains(out, "Never compared with the source") {
		t.Error(out)
	}
	b.configure(fmt.Sprintf(streams, ", bogus"))
	b.wants(exit.CodePartial, "bogus", "sync")
	out = b.must("status").stdout
	if strings.Contains(out, "No problems") || !strings.Contains(out, "never complete") {
		t.Error(out)
	}
	var told struct {
		Streams []struct {
			Stream    string
			CoveredTo *string `json:"covered_to"`
		}
	}
	if err := json.Unmarshal([]byte(b.must("status", "--json").stdout), &told); err != nil {
		t.Fatal(err)
	}
	if told.Streams[0].CoveredTo == nil || told.Streams[1].CoveredTo != nil {
		t.Errorf("%+v", told)
	}
}

func TestStatus(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.first("")
	b.sim.Inject(apisim.Fault{Kind: apisim.FaultStatus, Status: 400, Stream: apisim.Violations, Body: `{"success":false,"message":"not today"}`})
	if r := b.run("sync"); r.code != 5 {
		t.Fatalf("exit %d\n%s", r.code, r.stderr)
	}
	out := b.must("status").stdout
	for _, want := range []string{"alerts", "violations", "policy_stats", "HTTP 400", strconv.Itoa(b.sim.Len(apisim.Alerts)), "2026-03-18 12:34:56Z"} {
		if !strings.Contains(out, want) {
			t.Errorf("status does not say %q:\n%s", want, out)
		}
	}
	var told struct {
		DataDir string `json:"data_dir"`
		Streams []struct {
			Stream       string
			Rows         int
			Gaps, Lost   int
			CoveredTo    string `json:"covered_to"`
			LastComplete bool   `json:"last_run_complete"`
		}
		LastRun struct{ Status string } `json:"last_run"`
		Runs    []struct{ Status string }
	}
	if err := json.Unmarshal([]byte(b.must("status", "--json").stdout), &told); err != nil {
		t.Fatal(err)
	}
	if told.LastRun.Status != "partial" || len(told.Streams) != 3 || len(told.Runs) < 3 || told.DataDir != b.data() {
		t.Errorf("%+v", told)
	}
	for _, s := range told.Streams {
		if s.Rows == 0 || s.Gaps+s.Lost != 0 || s.LastComplete == (s.Stream == "violations") {
			t.Errorf("%+v", s)
		}
	}
}

func TestTheTokenAppearsNowhere(t *testing.T) {
	t.Parallel()
	echo := `{"success":false,"message":"the token ` + canary + ` is wrong","alerts":[],"total":0}`
	for name, fault := range map[string]apisim.Fault{
		"refused":     {Kind: apisim.FaultStatus, Status: 401, Body: echo},
		"bad request": {Kind: apisim.FaultStatus, Status: 400, Body: echo},
		"no success":  {Kind: apisim.FaultStatus, Status: 200, Body: echo, Count: 2},
		"page":        {Kind: apisim.FaultStatus, Status: 200, Body: "<html>" + canary + "</html>", Count: 2},
		"redirect":    {Kind: apisim.FaultStatus, Status: 302, Header: http.Header{"Location": {"https://example.com/?token=" + canary}}},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t) // searches outputs and files
			b.sim.Inject(fault)
			b.configure("streams:\n  alerts: {start: 2026-03-17}\nlog: {level: trace}\n")
			b.run("sync", "--json")
			b.run("check")
			b.run("status")
			r := b.end(b.start("--log-level", "trace", "sync", "--json"))
			if r.code < 0 {
				t.Errorf("exit %d", r.code)
			}
		})
	}
	b := newBench(t)
	b.configure("token: " + canary + "\n" + streamsConfig)
	b.wants(2, "token", "sync")
	if err := os.Remove(b.config); err != nil {
		t.Fatal(err)
	}
	b.configure("streams:\n  alerts: {start: " + canary + "}\n")
	if err := os.Remove(b.config); err != nil { // it has the canary, by our own hand
		t.Fatal(err)
	}
}

func TestInitWritesAnAbsoluteDataDir(t *testing.T) {
	b := newBench(t)
	folder := t.TempDir()
	t.Chdir(filepath.Dir(folder))
	for given, want := range map[string]string{"": filepath.Join(folder, "data"), "/srv/flashback": "/srv/flashback"} {
		b.config = filepath.Join(filepath.Base(folder), "new.yaml")
		b.env["FLASHBACK_SYNC_DATA_DIR"] = given
		b.must("init", "--force")
		content, err := os.ReadFile(b.config)
		if err != nil || !strings.Contains(string(content), "\ndata_dir: "+want+"\n") {
			t.Errorf("no data_dir %s, %v", want, err)
		}
	}
}

// The working directory of a run, of cron or of a person, does not decide where the data is.
func TestRelativeDataDirIsBelowTheFilesFolder(t *testing.T) {
	b := newBench(t)
	content := fmt.Sprintf("api: {base_url: %q}\ndata_dir: data\n%s", b.url, streamsConfig)
	if err := os.WriteFile(b.config, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	b.must("sync")
	b.complete()
	t.Chdir(t.TempDir())
	b.must("verify")

	former := t.TempDir() // where a release that went by the working directory left it
	if err := os.Rename(b.data(), filepath.Join(former, "data")); err != nil {
		t.Fatal(err)
	}
	t.Chdir(former)
	b.wants(2, "data_dir: "+filepath.Join(former, "data"), "sync")
	if _, err := os.Stat(b.data()); !os.IsNotExist(err) {
		t.Errorf("it began anew: %v", err)
	}
}

// Readers of a folder count the rows of every Parquet file in it.
func TestStatusNamesParquetFilesThatAreNotOurs(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.first("")
	found, err := filepath.Glob(filepath.Join(b.data(), "lake/alerts/*/alerts.parquet"))
	if err != nil || len(found) == 0 {
		t.Fatal(found, err)
	}
	content, err := os.ReadFile(found[0])
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(filepath.Dir(found[0]), "copy.parquet")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	if r := b.must("status"); !strings.Contains(r.stdout, "1 Parquet file is no part of the lake") || strings.Contains(r.stdout, "No problems found") {
		t.Errorf("status says\n%s", r.stdout)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if r := b.must("status"); strings.Contains(r.stdout, "no part of") {
		t.Errorf("status says\n%s", r.stdout)
	}
}

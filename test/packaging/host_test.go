package packaging

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// unit are the settings of a systemd unit: section and key, and all values in order.
func unit(content string) map[string][]string {
	settings := map[string][]string{}
	section := ""
	for line := range strings.Lines(content) {
		line = strings.TrimSpace(line)
		switch {
		case line == "" || line[0] == '#' || line[0] == ';':
		case line[0] == '[':
			section = strings.Trim(line, "[]")
		default:
			key, value, _ := strings.Cut(line, "=")
			settings[section+"."+key] = append(settings[section+"."+key], value)
		}
	}
	return settings
}

// checkUnit is our part; systemd-analyze, in run.sh, knows the rest.
func checkUnit(kind string, args ...string) func(string) []string {
	return func(content string) []string {
		var r report
		settings := unit(content)
		is := func(key, want string) bool { return strings.Join(settings["Service."+key], " ") == want }
		r.expect(is("Type", kind), "Type is not %s", kind)
		r.expect(is("ExecStart", "/usr/local/bin/flashback-sync "+strings.Join(args, " ")), "it does not run %v", args)
		if kind == "notify" {
			r.expect(len(settings["Service.WatchdogSec"]) == 1, "nobody notices that it hangs")
			r.expect(is("ExecReload", "/bin/kill -HUP $MAINPID"), "it is not reloaded by SIGHUP")
			r.expect(is("SuccessExitStatus", "143"), "a clean stop counts as a failure")
			r.expect(len(settings["Service.RestartPreventExitStatus"]) == 0, "what the Go runtime ends with 2, as without memory, is never started again")
			r.expect(strings.Join(settings["Unit.StartLimitBurst"], "") == "5" && len(settings["Unit.StartLimitIntervalSec"]) == 1, "a wrong configuration is tried again and again")
		} else {
			r.expect(is("SuccessExitStatus", "7 143"), "another run, or a clean stop, counts as a failure")
			r.expect(is("TimeoutStartSec", "infinity"), "a long sync is killed")
		}
		r.expect(is("TimeoutStopSec", "60s"), "a run is killed before it can end")
		r.expect(is("User", "flashback-sync") && len(settings["Service.DynamicUser"]) == 0, "it does not run as flashback-sync")
		variables := map[string]string{}
		for _, assignment := range settings["Service.Environment"] {
			name, value, _ := strings.Cut(assignment, "=")
			r.expect(strings.HasSuffix(name, "_FILE") || !secretive.MatchString(name), "%s is a secret that everybody can read in the unit", name)
			variables[name] = value
		}
		r.expect(strings.HasPrefix(variables["FLASHBACK_SYNC_API_TOKEN_FILE"], "/etc/flashback-sync/"), "the token is no file of its own: a new one would need a restart")
		r.expect(variables["FLASHBACK_SYNC_DATA_DIR"] == "/var/lib/"+strings.Join(settings["Service.StateDirectory"], " "), "data_dir is not the StateDirectory, the only place it may write to")
		err := accepted("streams: {alerts: {}}", variables)
		r.expect(err == nil, "the program refuses the variables: %v", err)
		return r
	}
}

// unitMistakes can be made in either unit.
var unitMistakes = []spoiled{
	{"killed early", "TimeoutStopSec=60s", "TimeoutStopSec=5s", "killed"},
	{"another user", "User=flashback-sync", "User=root", "run as"},
	{"data elsewhere", "FLASHBACK_SYNC_DATA_DIR=/var/lib/flashback-sync", "FLASHBACK_SYNC_DATA_DIR=/srv", "StateDirectory"},
	{"a token in the unit", "Environment=FLASHBACK_SYNC_CONFIG", "Environment=FLASHBACK_TOKEN=abc\nEnvironment=FLASHBACK_SYNC_CONFIG", "everybody"},
	{"a token that is copied at the start", "/etc/flashback-sync/token", "%d/token", "need a restart"},
	{"a variable that is none", "FLASHBACK_SYNC_API_TOKEN_FILE", "FLASHBACK_SYNC_TOKEN_FILE", "refuses"},
}

func TestUnitsKeepTheirPromises(t *testing.T) {
	judge(
		t, "deploy/systemd/flashback-sync.service", checkUnit("notify", "serve"),
		append(
			slices.Clone(unitMistakes),
			spoiled{"no notification", "Type=notify", "Type=simple", "Type"},
			spoiled{"no watchdog", "WatchdogSec", "#WatchdogSec", "hangs"},
			spoiled{"no reload", "-HUP", "-USR1", "SIGHUP"},
			spoiled{"a stop that fails", "SuccessExitStatus=143\n", "", "clean stop"},
			spoiled{"tried again and again", "StartLimitBurst=5", "StartLimitBurst=0", "again and again"},
			spoiled{"never again", "RestartSec=30s", "RestartPreventExitStatus=2", "never started again"},
		)...,
	)
	judge(
		t, "deploy/systemd/flashback-sync-sync.service", checkUnit("oneshot", "sync"),
		append(
			slices.Clone(unitMistakes),
			spoiled{"a long sync", "TimeoutStartSec=infinity\n", "", "long sync"},
			spoiled{"another run as a failure", "SuccessExitStatus=7 143", "SuccessExitStatus=143", "another run"},
			spoiled{"another command", "flashback-sync sync\n", "flashback-sync verify\n", "run [sync]"},
		)...,
	)
}

func TestTimerStartsTheSyncOnceANight(t *testing.T) {
	judge(
		t, "deploy/systemd/flashback-sync-sync.timer",
		func(content string) []string {
			var r report
			settings := unit(content)
			for key, want := range map[string]string{"Timer.Persistent": "true", "Install.WantedBy": "timers.target"} {
				r.expect(slices.Equal(settings[key], []string{want}), "%s is not %s", key, want)
			}
			r.expect(len(settings["Timer.RandomizedDelaySec"]) == 1, "all installations ask at once")
			r.expect(strings.HasSuffix(strings.Join(settings["Timer.OnCalendar"], " "), " UTC"), "it is not due at a time of UTC")
			r.expect(len(settings["Timer.Unit"]) == 0, "it starts something else than the service of its name")
			return r
		},
		spoiled{"not made up for", "Persistent=true", "Persistent=false", "Persistent"},
		spoiled{"all at once", "RandomizedDelaySec=30min\n", "", "at once"},
		spoiled{"local time", " UTC", "", "UTC"},
		spoiled{"another unit", "[Timer]", "[Timer]\nUnit=other.service", "something else"},
	)
}

// cronEntry are the variables and the command of a crontab with one entry.
func cronEntry(content string) (variables map[string]string, user, command string) {
	variables = map[string]string{}
	assignment := regexp.MustCompile(`^(\w+)=(.*)$`)
	entry := regexp.MustCompile(`^(?:\S+\s+){5}(\S+)\s+(.*)$`)
	for line := range strings.Lines(content) {
		line = strings.TrimSpace(line)
		if found := assignment.FindStringSubmatch(line); found != nil {
			variables[found[1]] = found[2]
		} else if found := entry.FindStringSubmatch(line); found != nil && !strings.HasPrefix(line, "#") {
			user, command = found[1], found[2]
		}
	}
	return variables, user, command
}

func TestCrontabKeepsItsPromises(t *testing.T) {
	judge(
		t, "deploy/cron/flashback-sync",
		func(content string) []string {
			var r report
			variables, user, command := cronEntry(content)
			r.expect(user == "flashback-sync", "it runs as %q", user)
			r.expect(!strings.Contains(command, "%"), "cron reads %% as the end of the command")
			r.expect(strings.HasSuffix(content, "\n"), "cron ignores a last line without an end")
			r.expect(variables["SHELL"] == "/bin/bash", "PIPESTATUS needs bash")
			err := accepted("streams: {alerts: {}}", variables)
			r.expect(err == nil, "the program refuses the variables: %v", err)
			return r
		},
		spoiled{"root", "* flashback-sync set", "* root set", "runs as"},
		spoiled{"a percent sign", "ended with", "ended at $(date +%H) with", "end of the command"},
		spoiled{"sh", "SHELL=/bin/bash\n", "", "bash"},
		spoiled{"a variable that is none", "FLASHBACK_SYNC_DATA_DIR", "FLASHBACK_SYNC_DATA", "refuses"},
	)
}

// Cron mails what a command prints: that must be failures, and all of them.
func TestCronMailsFailuresOnly(t *testing.T) {
	_, _, command := cronEntry(read(t, "deploy/cron/flashback-sync"))
	for code, mails := range map[string]bool{"0": false, "3": true, "4": true, "7": false, "143": true} {
		bin := t.TempDir()
		script := func(name, body string) {
			if err := os.WriteFile(filepath.Join(bin, name), []byte("#!/bin/sh\n"+body+"\n"), 0o755); err != nil {
				t.Fatal(err)
			}
		}
		script("flashback-sync", `echo a log line; echo another >&2; exit `+code)
		script("logger", `cat >"$(dirname "$0")/log"`)
		run := exec.CommandContext(t.Context(), "/bin/bash", "-c", command)
		run.Env = []string{"PATH=" + bin + ":/usr/bin:/bin"}
		output, err := run.CombinedOutput()
		if failed := new(exec.ExitError); err != nil && !errors.As(err, &failed) {
			t.Fatal(err)
		}
		if got := len(output) > 0; got != mails {
			t.Errorf("exit %s: mailed %q", code, output)
		}
		logged, err := os.ReadFile(filepath.Join(bin, "log"))
		if err != nil || string(logged) != "a log line\nanother\n" {
			t.Errorf("exit %s: logged %q, %v", code, logged, err)
		}
	}
}

// By hand a command runs with what the units set.
func TestACommandRunsByHandAsTheUnitsDo(t *testing.T) {
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "runuser"), []byte("#!/bin/sh\nprintf '%s\\n' \"$@\"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), "sh", filepath.Join("..", "..", "deploy/systemd/flashback-sync-as-service"), "verify", "--html", "a b.html")
	command.Env = []string{"PATH=" + folder}
	said, err := command.Output()
	if err != nil {
		t.Fatal(err)
	}
	want := append([]string{"-u", "flashback-sync", "--", "env"}, unit(read(t, "deploy/systemd/flashback-sync-sync.service"))["Service.Environment"]...)
	want = append(want, "/usr/local/bin/flashback-sync", "verify", "--html", "a b.html")
	if got := strings.Split(strings.TrimSpace(string(said)), "\n"); !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

package packaging

import (
	"hash/adler32"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"text/template"

	"go.yaml.in/yaml/v4"
)

const (
	fleetFolder  = "deploy/kubernetes/fleet/"
	fleetJobFile = fleetFolder + "organisation/cronjob.yaml"
	chartFile    = "deploy/kubernetes/fleet-chart/templates/fleet.yaml"
	valuesFile   = "deploy/kubernetes/fleet-chart/values.yaml"
)

// checkFleetJob holds the CronJob of one organisation against the order of the two programs, and
// what each of them may see.
func checkFleetJob(configuration string) func(string) []string {
	return func(content string) []string {
		var r report
		job, err := parseYAML(content)
		if err != nil {
			return []string{err.Error()}
		}
		r.expect(job.at("spec", "concurrencyPolicy").String() == "Forbid", "concurrencyPolicy is not Forbid")
		r.expect(!job.at("spec", "timeZone").missing(), "the schedule is in whatever time zone the cluster has")
		pod := job.at("spec", "jobTemplate", "spec", "template", "spec")
		r.expect(pod.at("enableServiceLinks").String() == "false", "enableServiceLinks is not false: variables of a Service would be refused")
		r.expect(pod.at("restartPolicy").String() == "Never", "restartPolicy is not Never, which podFailurePolicy needs")
		r.expect(pod.at("securityContext", "runAsNonRoot").String() == "true", "runAsNonRoot is not true")
		first, then := pod.at("initContainers").items(), pod.at("containers").items()
		if len(first) != 1 || len(then) != 1 {
			return append(r, "there is not one container before the other")
		}
		sync, push := first[0], then[0]
		r.expect(sync.at("args").String() == "[sync]", "it does not sync first")
		r.expect(strings.HasPrefix(push.at("args").String(), "[push "), "it does not push then")
		variables := map[string]string{}
		for _, variable := range sync.at("env").items() {
			variables[variable.at("name").String()] = variable.at("value").String()
		}
		err = accepted(configuration, variables)
		r.expect(err == nil, "the program refuses the configuration: %v", err)
		r.expect(sync.at("envFrom").missing(), "the sync sees the secrets of the push")
		r.expect(!slices.ContainsFunc(push.at("volumeMounts").items(), func(n node) bool { return n.at("name").String() == "secret" }), "the push sees the secrets of the sync")
		for _, container := range []node{sync, push} {
			context := container.at("securityContext")
			r.expect(context.at("allowPrivilegeEscalation").String() == "false", "allowPrivilegeEscalation is not false")
			r.expect(context.at("readOnlyRootFilesystem").String() == "true", "the root file system can be written")
			r.expect(context.at("capabilities", "drop").String() == "[ALL]", "capabilities are left")
			r.expect(!container.at("resources", "limits", "memory").missing(), "memory has no limit")
		}
		return r
	}
}

func TestFleetSyncsAndThenPushes(t *testing.T) {
	judge(t, fleetJobFile, checkFleetJob(read(t, fleetFolder+"organisation/flashback-sync.yaml")),
		spoiled{"at the same time", "initContainers:", "ephemeralContainers:", "before the other"},
		spoiled{"two at once", "Forbid", "Allow", "Forbid"},
		spoiled{"service links", "enableServiceLinks: false", "enableServiceLinks: true", "enableServiceLinks"},
		spoiled{"a variable that is none", "FLASHBACK_SYNC_CONFIG", "FLASHBACK_SYNC_CONFIGURATION", "refuses"},
		spoiled{"no push", "args: [push,", "args: [status,", "push"},
		spoiled{"the token for both", "- {name: config, mountPath: /etc/flashback, readOnly: true}\n          volumes:", "- {name: secret, mountPath: /run/secrets/flashback, readOnly: true}\n          volumes:", "secrets of the sync"},
		spoiled{"writable", "readOnlyRootFilesystem: true", "readOnlyRootFilesystem: false", "root file system"},
	)
}

// Each folder of an organisation names it in five places.
func TestFleetOrganisationsAreThemselves(t *testing.T) {
	fleet, err := parseYAML(read(t, fleetFolder+"kustomization.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, resource := range fleet.at("resources").items() {
		org, is := strings.CutPrefix(resource.String(), "organisations/")
		if !is {
			continue
		}
		found++
		content := read(t, fleetFolder+resource.String()+"/kustomization.yaml")
		for _, want := range []string{"nameSuffix: -" + org + "\n", "flashback-sync/organisation: " + org + "\n", "value: flashback-" + org + "}", "value: flashback-lakehouse-" + org + "}"} {
			if !strings.Contains(content, want) {
				t.Errorf("%s has no %q", resource, want)
			}
		}
	}
	if found < 2 {
		t.Errorf("the fleet has %d organisations", found)
	}
}

// The chart has the same CronJob, with the names filled in.
func TestFleetChartIsTheKustomization(t *testing.T) {
	_, chart, found := strings.Cut(read(t, chartFile), "\n---\napiVersion: batch/v1\n")
	if !found {
		t.Fatal("the chart has no CronJob")
	}
	chart = strings.TrimSuffix("apiVersion: batch/v1\n"+chart, "{{- end }}\n")
	chart = regexp.MustCompile(`(?m)^ +flashback-sync/organisation: .*\n`).ReplaceAllString(chart, "")
	chart = strings.NewReplacer(
		"  labels:\nspec:", "spec:",
		"-{{ $org }}", "",
		"{{ mod (adler32sum $org) 60 }} {{ $.Values.hour }} * * *", "17 2 * * *",
		"{{ $.Values.images.sync }}:{{ $.Chart.AppVersion }}", "ghcr.io/flashback-sync/flashback-sync",
		"{{ $.Values.images.push }}:{{ $.Chart.AppVersion }}", "ghcr.io/flashback-sync/flashback-iceberg",
	).Replace(chart)
	if want := read(t, fleetJobFile); chart != want {
		t.Errorf("it is\n%s\nwant\n%s", chart, want)
	}
}

// Rendered with those functions of Helm that the chart uses, it has three documents for each
// organisation, with configurations that the programs accept.
func TestFleetChartRenders(t *testing.T) {
	values, err := parseYAML(read(t, valuesFile))
	if err != nil {
		t.Fatal(err)
	}
	functions := template.FuncMap{
		"toYaml": func(v any) (string, error) {
			content, err := yaml.Marshal(v)
			return strings.TrimSuffix(string(content), "\n"), err
		},
		"nindent": func(n int, s string) string {
			indent := "\n" + strings.Repeat(" ", n)
			return indent + strings.ReplaceAll(s, "\n", indent)
		},
		"adler32sum": func(s string) string { return strconv.FormatUint(uint64(adler32.Checksum([]byte(s))), 10) },
		"mod": func(a string, b int) (int, error) {
			n, err := strconv.Atoi(a)
			return n % b, err
		},
	}
	var out strings.Builder
	data := map[string]any{"Values": values.value, "Chart": map[string]any{"AppVersion": "1.0.0"}}
	if err := template.Must(template.New("fleet").Funcs(functions).Parse(read(t, chartFile))).Execute(&out, data); err != nil {
		t.Fatal(err)
	}
	documents := strings.Split(out.String(), "\n---\n")
	organisations := values.at("organisations").items()
	if len(documents) != 1+3*len(organisations) {
		t.Fatalf("%d documents of %d organisations:\n%s", len(documents), len(organisations), out.String())
	}
	for i, org := range organisations {
		config, err := parseYAML(documents[1+3*i])
		if err != nil {
			t.Fatal(err)
		}
		for _, problem := range checkFleetJob(config.at("data", "flashback-sync.yaml").String())(documents[3+3*i]) {
			t.Errorf("%s: %s", org, problem)
		}
		job, _ := parseYAML(documents[3+3*i])
		if name := job.at("metadata", "name").String(); name != "flashback-"+org.String() {
			t.Errorf("the CronJob of %s is named %s", org, name)
		}
	}
}

package packaging

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const (
	rulesFile     = "deploy/prometheus/alerts.yaml"
	rulesTestFile = "deploy/prometheus/alerts_test.yaml"
	dashboardFile = "deploy/grafana/dashboard.json"
	runbook       = "docs/operations.md"
)

// metrics are those there are, and the labels of each as they arrive in
// Prometheus: beside the labels of a scrape, and with `job` moved out of its way.
func metrics(t *testing.T) map[string][]string {
	known := map[string][]string{}
	for line := range strings.Lines(read(t, "deploy/metrics.txt")) {
		if words := strings.Fields(line); len(words) > 0 && words[0] != "#" {
			labels := []string{"instance", "job"}
			for _, label := range words[1:] {
				if label == "job" {
					label = "exported_job"
				}
				labels = append(labels, label)
			}
			known[words[0]] = labels
		}
	}
	if len(known) < 10 {
		t.Fatalf("deploy/metrics.txt names %d metrics", len(known))
	}
	return known
}

var (
	metricIn = regexp.MustCompile(`\b(flashback_sync_\w+)(?:\{([^}]*)\})?`)
	labelIn  = regexp.MustCompile(`(\w+)\s*(?:=~|!~|!=|=)\s*"`)
)

// checkExpression says which metrics and labels of it are not there.
func checkExpression(r *report, known map[string][]string, where, expression string) {
	found := metricIn.FindAllStringSubmatch(expression, -1)
	r.expect(len(found) > 0, "%s asks for no metric of ours: %s", where, expression)
	for _, metric := range found {
		labels, there := known[metric[1]]
		r.expect(there, "%s asks for %s, which is not there", where, metric[1])
		for _, label := range labelIn.FindAllStringSubmatch(metric[2], -1) {
			r.expect(!there || slices.Contains(labels, label[1]), "%s asks for the label %s, which %s does not have", where, label[1], metric[1])
		}
	}
}

func checkRules(known map[string][]string, tests, operations string) func(string) []string {
	return func(content string) []string {
		var r report
		document, err := parseYAML(content)
		if err != nil {
			return []string{err.Error()}
		}
		for _, group := range document.at("groups").items() {
			for _, rule := range group.at("rules").items() {
				checkRule(&r, known, rule, tests, operations)
			}
		}
		return r
	}
}

func checkRule(r *report, known map[string][]string, rule node, tests, operations string) {
	name := rule.at("alert").String()
	checkExpression(r, known, name, rule.at("expr").String())
	r.expect(!rule.at("for").missing(), "%s fires at the first glance", name)
	r.expect(slices.Contains([]string{"critical", "warning", "info"}, rule.at("labels", "severity").String()), "%s has no severity", name)
	labels := map[string]bool{"instance": true, "job": true}
	for _, metric := range metricIn.FindAllStringSubmatch(rule.at("expr").String(), -1) {
		for _, label := range known[metric[1]] {
			labels[label] = true
		}
	}
	for _, text := range []string{"summary", "description"} {
		value := rule.at("annotations", text).String()
		r.expect(value != "", "%s has no %s", name, text)
		for _, used := range regexp.MustCompile(`\$labels\.(\w+)`).FindAllStringSubmatch(value, -1) {
			r.expect(labels[used[1]], "the %s of %s shows the label %s, which it does not have", text, name, used[1])
		}
	}
	_, anchor, linked := strings.Cut(rule.at("annotations", "runbook_url").String(), "/"+runbook+"#")
	r.expect(linked, "%s has no link into %s", name, runbook)
	r.expect(slices.Contains(anchors(operations), anchor), "%s links to #%s, which %s does not have", name, anchor, runbook)
	fires, quiet := tested(tests, name)
	r.expect(fires && quiet, "%s is not shown both to fire and to keep quiet", name)
}

// anchors are what the headings of a document can be linked by.
func anchors(document string) (all []string) {
	for _, heading := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllStringSubmatch(document, -1) {
		plain := regexp.MustCompile(`[^a-z0-9 _-]`).ReplaceAllString(strings.ToLower(heading[1]), "")
		all = append(all, strings.ReplaceAll(plain, " ", "-"))
	}
	return all
}

// tested says whether the tests of the rules show the alert fire, and keep quiet.
func tested(tests, alert string) (fires, quiet bool) {
	for _, found := range regexp.MustCompile(`alertname: `+alert+`\n\s+exp_alerts:(.*)\n`).FindAllStringSubmatch(tests, -1) {
		if strings.TrimSpace(found[1]) == "[]" {
			quiet = true
		} else {
			fires = true
		}
	}
	return fires, quiet
}

func TestRulesAskForWhatIsThere(t *testing.T) {
	judge(
		t, rulesFile, checkRules(metrics(t), read(t, rulesTestFile), read(t, runbook)),
		spoiled{"a metric that is not there", "flashback_sync_coverage_gaps > 0", "flashback_sync_gaps > 0", "flashback_sync_gaps, which is not there"},
		spoiled{"a label that is not there", `{verdict=~"missing`, `{result=~"missing`, "label result"},
		spoiled{"the label that Prometheus takes", `{{ $labels.exported_job }} failed`, `{{ $labels.task }} failed`, "label task"},
		spoiled{"a metric of somebody else", "flashback_sync_lateness_max_seconds > on (instance, job, stream) flashback_sync_lookback_seconds", "up == 0", "no metric of ours"},
		spoiled{"at the first glance", "        for: 30m\n", "", "first glance"},
		spoiled{"no severity", "  severity: critical", "  level: critical", "severity"},
		spoiled{"no summary", "          summary: 'flashback-sync{{ with $labels.instance }} on {{ . }}{{ end }} sends no metrics'\n", "", "summary"},
		spoiled{"another runbook", "/docs/operations.md#flashbacksyncstale", "/README.md#stale", "no link"},
		spoiled{"a chapter that is not there", "operations.md#flashbacksyncstale", "operations.md#old", "#old, which"},
		spoiled{"an alert without a test", "alert: FlashbackSyncStale\n", "alert: FlashbackSyncOld\n", "not shown"},
	)
}

func checkDashboard(known map[string][]string) func(string) []string {
	return func(content string) []string {
		var r report
		dashboard, err := parseJSON(content)
		if err != nil {
			return []string{err.Error()}
		}
		r.expect(dashboard.at("schemaVersion").number() == 42, "schemaVersion is not 42")
		r.expect(dashboard.at("id").missing() && dashboard.at("uid").String() == "flashback-sync", "it has another id in every Grafana, and a uid of its own")
		variables := map[string]node{}
		for _, variable := range dashboard.at("templating", "list").items() {
			variables[variable.at("name").String()] = variable
			if variable.at("type").String() == "query" {
				r.expect(variable.at("datasource", "uid").String() == "${datasource}", "the variable %s asks a data source of its own", variable.at("name"))
				checkExpression(&r, known, "the variable "+variable.at("name").String(), variable.at("query", "query").String())
			}
		}
		r.expect(variables["datasource"].at("type").String() == "datasource", "the data source cannot be chosen")
		ids := map[string]bool{}
		taken := map[string]string{}
		for _, panel := range dashboard.at("panels").items() {
			title := panel.at("title").String()
			r.expect(!ids[panel.at("id").String()], "the id of %s is taken", title)
			ids[panel.at("id").String()] = true
			checkPlace(&r, taken, title, panel.at("gridPos"))
			if panel.at("type").String() != "row" {
				checkPanel(&r, known, variables, panel)
			}
		}
		return r
	}
}

// checkPlace keeps panels within the 24 columns, and apart.
func checkPlace(r *report, taken map[string]string, title string, place node) {
	x, y, w, h := place.at("x").number(), place.at("y").number(), place.at("w").number(), place.at("h").number()
	if x < 0 || y < 0 || w < 1 || h < 1 || x+w > 24 {
		r.expect(false, "%s is off the grid", title)
		return
	}
	for column := x; column < x+w; column++ {
		for line := y; line < y+h; line++ {
			cell := fmt.Sprint(column, " ", line)
			if other := taken[cell]; other != "" {
				r.expect(false, "%s lies over %s", title, other)
				return
			}
			taken[cell] = title
		}
	}
}

func checkPanel(r *report, known map[string][]string, variables map[string]node, panel node) {
	title := panel.at("title").String()
	r.expect(panel.at("description").String() != "", "%s has no description", title)
	r.expect(panel.at("fieldConfig", "defaults", "unit").String() != "", "%s has no unit", title)
	r.expect(len(panel.at("targets").items()) > 0, "%s asks for nothing", title)
	sources := []node{panel.at("datasource")}
	for _, target := range panel.at("targets").items() {
		expression := target.at("expr").String()
		sources = append(sources, target.at("datasource"))
		checkExpression(r, known, title, expression)
		r.expect(strings.Contains(expression, `instance=~"$instance"`), "%s does not heed the variable instance", title)
		for _, used := range regexp.MustCompile(`\$(\w+)`).FindAllStringSubmatch(expression, -1) {
			_, there := variables[used[1]]
			r.expect(there || strings.HasPrefix(used[1], "__"), "%s uses the variable %s, which is not there", title, used[1])
		}
		r.expect(!regexp.MustCompile(`_total\b`).MatchString(expression) || strings.Contains(expression, "increase(") || strings.Contains(expression, "rate("), "%s shows a counter as it is", title)
	}
	for _, source := range sources {
		r.expect(source.at("uid").String() == "${datasource}", "%s asks a data source of its own", title)
	}
}

func TestDashboardAsksForWhatIsThere(t *testing.T) {
	judge(
		t, dashboardFile, checkDashboard(metrics(t)),
		spoiled{"a metric that is not there", "flashback_sync_published_bytes", "flashback_sync_bytes", "flashback_sync_bytes, which is not there"},
		spoiled{"a label that is not there", `level=~\"bad|warn\"`, `severity=~\"bad|warn\"`, "label severity"},
		spoiled{"a data source of its own", `"uid": "${datasource}"`, `"uid": "P1809F7CD0C75ACF3"`, "of its own"},
		spoiled{"no choice of data source", `"name": "datasource"`, `"name": "source"`, "cannot be chosen"},
		spoiled{"a variable that is not there", `stream=~\"$stream\"`, `stream=~\"$flow\"`, "variable flow"},
		spoiled{"another instance's numbers", `instance=~\"$instance\"})`, `job=~\".*\"})`, "heed"},
		spoiled{"a panel over another", `"x": 12,`, `"x": 11,`, "lies over"},
		spoiled{"a panel off the grid", `"w": 24,`, `"w": 25,`, "off the grid"},
		spoiled{"no description", `"description": "Rows that are published."`, `"description": ""`, "no description"},
		spoiled{"no unit", `"unit": "bytes"`, `"unit": ""`, "no unit"},
		spoiled{"an old schema", `"schemaVersion": 42`, `"schemaVersion": 16`, "schemaVersion"},
		spoiled{"a counter as it is", "(increase(flashback_sync_retries_total", "((flashback_sync_retries_total", "counter"},
		spoiled{"an id twice", `"id": 3,`, `"id": 2,`, "is taken"},
	)
}

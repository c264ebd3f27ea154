package config

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTemplateHoldsTheDefaults(t *testing.T) {
	got, err := Parse(Template(""), "template.yaml", nil)
	if err != nil {
		t.Fatal(err)
	}
	want := defaults(streamNames()...)
	want.Path = "template.yaml"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestTemplateWithADataDirOfItsOwn(t *testing.T) {
	for _, dir := range []string{"/var/lib/flashback", "/home/a b/it's: #1", `C:\data`, "/ä/\"x\""} {
		got, err := Parse(Template(dir), "/etc/template.yaml", variables{}.get)
		if err != nil || filepath.IsAbs(dir) && got.DataDir != dir {
			t.Errorf("%s: got %+v, %v", dir, got, err)
		}
	}
}

// optionalKeys are comments in the template.
func optionalKeys() []string {
	return []string{
		"api.token_file", "api.token_command", "privacy.columns", "privacy.key_file", "privacy.key_command", "publish.views", "publish.after", "streams.violations.filter.block",
		"serve.password_file", "alarms.ping_url_file", "alarms.webhook_url_file",
	}
}

func TestTemplateHoldsEveryKey(t *testing.T) {
	root, problem := parseYAML(Template(""))
	if problem != nil {
		t.Fatal(problem)
	}
	d := newDecoder(nil, setting{node: root})
	d.section(fileOf(d.config), d.file)
	for _, f := range fileOf(d.config).all() {
		if _, set := d.written[f.value.Addr().Interface()]; !set && !f.isSection() && !commented(f.path) {
			t.Errorf("%s is missing", f.path)
		}
	}
}

func commented(path string) bool {
	for _, optional := range optionalKeys() {
		if path == optional {
			return regexp.MustCompile(`(?m)^ +# ` + lastName(path) + `: `).Match(Template(""))
		}
	}
	return false
}

func TestTemplateIsValidWithItsCommentedKeys(t *testing.T) {
	text := strings.Replace(string(Template("")), "# block: true", "block: true", 1)
	text = strings.Replace(text, "# scopes: [{scope: workspace, ids: [WORKSPACE_ID]}]", "", 1)
	for _, way := range []string{"token_file", "token_command"} {
		alone := strings.Replace(text, "  token_env:", "  # token_env:", 1)
		alone = strings.Replace(alone, "  # "+way+":", "  "+way+":", 1)
		if _, err := Parse([]byte(alone), "template.yaml", nil); err != nil {
			t.Errorf("with %s: %v", way, err)
		}
	}
}

func TestTemplateDocumentsEveryKeyInALine(t *testing.T) {
	above := ""
	for _, line := range strings.Split(string(Template("")), "\n") {
		bare := strings.TrimSpace(line)
		isKey := regexp.MustCompile(`^[a-z_]+:( |$)`).MatchString(bare)
		documented := strings.Contains(line, " # ") || strings.HasPrefix(above, "#")
		if isKey && !documented && strings.Contains(bare, ": ") {
			t.Errorf("no word about %s", bare)
		}
		above = bare
	}
}

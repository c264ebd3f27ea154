package packaging

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

func checkCompose(content string) []string {
	var r report
	file, err := parseYAML(content)
	if err != nil {
		return []string{err.Error()}
	}
	service := file.at("services", "flashback-sync")
	r.expect(service.at("read_only").String() == "true", "the root file system can be written")
	r.expect(service.at("cap_drop").String() == "[ALL]", "capabilities are left")
	r.expect(slices.ContainsFunc(service.at("security_opt").items(), func(n node) bool { return n.String() == "no-new-privileges:true" }), "privileges can be gained")
	r.expect(regexp.MustCompile(`^[1-9]\d*:[1-9]\d*$`).MatchString(service.at("user").String()), "user is root, or unknown")
	r.expect(pinned(interpolated(service.at("image").String())), "image %s is not pinned", service.at("image"))
	r.expect(service.at("restart").String() == "unless-stopped", "it does not come back after a restart")
	r.expect(slices.Contains([]string{"1m", "60s"}, service.at("stop_grace_period").String()), "a run is killed before it can end")
	r.expect(service.at("healthcheck", "test").String() == "[CMD /usr/local/bin/flashback-sync serve --probe]", "nothing asks for its health in exec form")
	for _, option := range []string{"max-size", "max-file"} {
		r.expect(!service.at("logging", "options", option).missing(), "logs grow indefinitely: no %s", option)
	}
	for _, port := range service.at("ports").items() {
		r.expect(strings.HasPrefix(port.String(), "127.0.0.1:"), "port %s is open to the network, and the password travels in the clear", port)
	}
	r.expect(slices.ContainsFunc(service.at("volumes").items(), func(n node) bool {
		name, target, _ := strings.Cut(n.String(), ":")
		_, declared := file.at("volumes").value.(map[string]any)[name]
		return target == "/data" && declared
	}), "/data is no named volume")
	for kind, folder := range map[string]string{"secrets": "/run/secrets/", "configs": ""} {
		for _, used := range service.at(kind).items() {
			name := used.String()
			if folder == "" {
				name = used.at("source").String()
			}
			r.expect(!file.at(kind, name, "file").missing(), "%s %s is declared nowhere as a file", kind, name)
		}
	}
	variables := map[string]string{}
	for name, value := range service.at("environment").value.(map[string]any) {
		text := node{value}.String()
		variables[name] = interpolated(text)
		if secret, ok := strings.CutPrefix(text, "/run/secrets/"); ok {
			r.expect(strings.Contains(service.at("secrets").String(), secret), "%s names a secret that is not given to the service", name)
		} else {
			r.expect(!secretive.MatchString(name), "%s is a secret in a variable", name)
		}
	}
	r.expect(variables["FLASHBACK_SYNC_CONFIG"] == service.at("configs").items()[0].at("target").String(), "FLASHBACK_SYNC_CONFIG is not where the configuration is put")
	r.expect(accepted("streams: {alerts: {}}", variables) == nil, "the program refuses the variables: %v", accepted("streams: {alerts: {}}", variables))
	return r
}

var interpolation = regexp.MustCompile(`\$\{(\w+)(?::-([^}]*))?\}`)

// interpolated is a text of compose where none of the host's variables is set.
func interpolated(text string) string { return interpolation.ReplaceAllString(text, "$2") }

func TestComposeKeepsItsPromises(t *testing.T) {
	judge(
		t, "deploy/compose.yaml", checkCompose,
		spoiled{"writable", "read_only: true", "read_only: false", "root file system"},
		spoiled{"capabilities", "cap_drop: [ALL]", "cap_drop: [NET_RAW]", "capabilities"},
		spoiled{"new privileges", "no-new-privileges:true", "seccomp:unconfined", "privileges"},
		spoiled{"root", "user: '65532:65532'", "user: '0:0'", "root"},
		spoiled{"latest", ":${FLASHBACK_IMAGE_TAG:-1.0.0}", ":${FLASHBACK_IMAGE_TAG:-latest}", "not pinned"},
		spoiled{"a tag that may be missing", ":${FLASHBACK_IMAGE_TAG:-1.0.0}", ":${FLASHBACK_IMAGE_TAG}", "not pinned"},
		spoiled{"killed early", "stop_grace_period: 1m", "stop_grace_period: 5s", "killed"},
		spoiled{"a shell as health check", "[CMD, /usr/local/bin/flashback-sync, serve, --probe]", "flashback-sync serve --probe", "exec form"},
		spoiled{"logs without an end", "max-size: 10m", "compress: 'true'", "max-size"},
		spoiled{"a port for everybody", "127.0.0.1:8417:8417", "8417:8417", "open to the network"},
		spoiled{"data in the container", "- data:/data", "- data:/var/data", "named volume"},
		spoiled{"a secret nobody declares", "      - token\n", "      - tokens\n", "declared nowhere"},
		spoiled{"a secret that is not given", "/run/secrets/token", "/run/secrets/key", "not given"},
		spoiled{"a secret in a variable", "FLASHBACK_SYNC_API_TOKEN_FILE: /run/secrets/token", "FLASHBACK_TOKEN: abc", "in a variable"},
		spoiled{"a variable that is none", "FLASHBACK_SYNC_SERVE_PASSWORD_FILE", "FLASHBACK_SYNC_SERVE_PASSWORT_FILE", "refuses"},
		spoiled{"a configuration elsewhere", "target: /etc/", "target: /opt/", "is not where"},
	)
}

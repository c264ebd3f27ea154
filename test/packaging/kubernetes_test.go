package packaging

import (
	"slices"
	"strings"
	"testing"
)

const (
	deploymentFile = "deploy/kubernetes/serve/deployment.yaml"
	serviceFile    = "deploy/kubernetes/serve/service.yaml"
	cronJobFile    = "deploy/kubernetes/cronjob/cronjob.yaml"
	secretFile     = "deploy/kubernetes/secret.example.yaml"
	baseFile       = "deploy/kubernetes/base/kustomization.yaml"
	configFile     = "deploy/kubernetes/base/flashback-sync.yaml"
	dataFile       = "deploy/kubernetes/data.yaml"
	networkFile    = "deploy/kubernetes/base/network.yaml"
)

// cluster is what a pod refers to.
type cluster struct{ secret, base, data, network, configuration string }

func theCluster(t *testing.T) cluster {
	return cluster{read(t, secretFile), read(t, baseFile), read(t, dataFile), read(t, networkFile), read(t, configFile)}
}

// checkPod holds a pod against the restricted profile of the Pod Security
// Standards, against this program, and against what it refers to.
func (c cluster) checkPod(r *report, template node) {
	pod := template.at("spec")
	r.expect(pod.at("enableServiceLinks").String() == "false", "enableServiceLinks is not false: variables of the Service would be refused")
	r.expect(pod.at("automountServiceAccountToken").String() == "false", "the pod gets a token of the cluster that it does not need")
	context := pod.at("securityContext")
	r.expect(context.at("runAsNonRoot").String() == "true", "runAsNonRoot is not true")
	r.expect(context.at("runAsUser").number() > 0, "runAsUser is root")
	r.expect(context.at("fsGroup").number() > 0, "fsGroup does not give the volume to the user")
	r.expect(context.at("seccompProfile", "type").String() == "RuntimeDefault", "no seccompProfile")
	for _, host := range []string{"hostNetwork", "hostPID", "hostIPC"} {
		r.expect(pod.at(host).missing(), "%s is set", host)
	}
	r.expect(pod.at("terminationGracePeriodSeconds").number() >= 40, "a run is killed before it can end")
	for key, want := range wantedLabels(c.network) {
		r.expect(template.at("metadata", "labels", key).String() == want, "the NetworkPolicy does not hold for the pod")
	}
	r.expect(len(pod.at("containers").items()) == 1, "there is not one container")
	for _, container := range pod.at("containers").items() {
		c.checkContainer(r, container)
		c.checkVolumes(r, pod.at("volumes").items(), container.at("volumeMounts").items())
	}
}

func (c cluster) checkContainer(r *report, container node) {
	context := container.at("securityContext")
	r.expect(context.at("allowPrivilegeEscalation").String() == "false", "allowPrivilegeEscalation is not false")
	r.expect(context.at("readOnlyRootFilesystem").String() == "true", "the root file system can be written")
	r.expect(context.at("capabilities", "drop").String() == "[ALL]" && context.at("capabilities", "add").missing(), "capabilities are left")
	r.expect(context.at("privileged").missing(), "it is privileged")
	r.expect(!container.at("resources", "limits", "memory").missing() && !container.at("resources", "requests", "memory").missing(), "memory has no limit or request")
	variables := map[string]string{}
	for _, variable := range container.at("env").items() {
		name := variable.at("name").String()
		variables[name] = variable.at("value").String()
		reference := variable.at("valueFrom", "secretKeyRef")
		r.expect(strings.HasSuffix(name, "_FILE") || !secretive.MatchString(name) || !reference.missing(), "%s is a secret in the clear", name)
		if !reference.missing() {
			c.checkSecret(r, reference)
		}
		if key, mounted := strings.CutPrefix(variables[name], "/run/secrets/flashback-sync/"); mounted {
			secret, err := parseYAML(c.secret)
			_, there := secret.at("stringData").value.(map[string]any)[key]
			r.expect(err == nil && there, "the Secret has no %s", key)
		}
	}
	r.expect(variables["FLASHBACK_SYNC_API_TOKEN_FILE"] != "", "the token is no mounted file: a new one would need a restart")
	r.expect(variables["FLASHBACK_SYNC_CONFIG"] == "/etc/flashback-sync/flashback-sync.yaml", "FLASHBACK_SYNC_CONFIG is not where the ConfigMap is mounted")
	err := accepted(c.configuration, variables)
	r.expect(err == nil, "the program refuses the configuration: %v", err)
}

func (c cluster) checkSecret(r *report, reference node) {
	secret, err := parseYAML(c.secret)
	r.expect(err == nil && secret.at("metadata", "name").String() == reference.at("name").String(), "there is no Secret %s", reference.at("name"))
	_, there := secret.at("stringData").value.(map[string]any)[reference.at("key").String()]
	r.expect(there || reference.at("optional").String() == "true", "the Secret has no %s", reference.at("key"))
}

func (c cluster) checkVolumes(r *report, volumes, mounts []node) {
	named := map[string]bool{}
	for _, volume := range volumes {
		named[volume.at("name").String()] = true
		if claim := volume.at("persistentVolumeClaim", "claimName"); !claim.missing() {
			data, err := parseYAML(c.data)
			r.expect(err == nil && data.at("metadata", "name").String() == claim.String(), "there is no claim %s", claim)
		}
		if name := volume.at("secret", "secretName"); !name.missing() {
			secret, err := parseYAML(c.secret)
			r.expect(err == nil && secret.at("metadata", "name").String() == name.String(), "there is no Secret %s", name)
		}
		if name := volume.at("configMap", "name"); !name.missing() {
			base, err := parseYAML(c.base)
			r.expect(err == nil && slices.ContainsFunc(base.at("configMapGenerator").items(), func(n node) bool {
				return n.at("name").String() == name.String() && n.at("files").String() == "[flashback-sync.yaml]"
			}), "there is no ConfigMap %s with flashback-sync.yaml", name)
		}
	}
	var paths []string
	for _, mount := range mounts {
		paths = append(paths, mount.at("mountPath").String())
		r.expect(named[mount.at("name").String()], "there is no volume %s", mount.at("name"))
	}
	r.expect(slices.Contains(paths, "/data") && slices.Contains(paths, "/etc/flashback-sync") && slices.Contains(paths, "/run/secrets/flashback-sync"), "/data, the configuration or the secrets are not mounted")
}

func wantedLabels(policy string) map[string]string {
	document, err := parseYAML(policy)
	labels := map[string]string{}
	selector := document.at("spec", "podSelector", "matchLabels")
	for _, key := range selector.keys() {
		labels[key] = selector.at(key).String()
	}
	if err != nil || len(labels) == 0 {
		labels["a NetworkPolicy"] = "that names pods"
	}
	return labels
}

func checkDeployment(c cluster, service string) func(string) []string {
	return func(content string) []string {
		var r report
		deployment, err := parseYAML(content)
		if err != nil {
			return []string{err.Error()}
		}
		spec := deployment.at("spec")
		template := spec.at("template")
		c.checkPod(&r, template)
		r.expect(spec.at("replicas").String() == "1", "replicas is not 1")
		r.expect(spec.at("strategy", "type").String() == "Recreate", "strategy is not Recreate: two would run at once")
		container := node{}
		if containers := template.at("spec", "containers").items(); len(containers) == 1 {
			container = containers[0]
		}
		r.expect(container.at("args").String() == "[serve]", "it does not serve")
		for probe, path := range map[string]string{"startupProbe": "/healthz", "livenessProbe": "/healthz", "readinessProbe": "/healthz"} {
			r.expect(container.at(probe, "httpGet", "path").String() == path, "%s does not ask for %s", probe, path)
		}
		r.expect(strings.Contains(content, "name: FLASHBACK_SYNC_SERVE_PASSWORD_FILE"), "serve has no password, and would end with 2")
		for key, want := range selected(service) {
			r.expect(template.at("metadata", "labels", key).String() == want, "the Service does not select the pod")
			r.expect(spec.at("selector", "matchLabels", key).String() == want, "the Deployment does not select the pod")
		}
		offered, err := parseYAML(service)
		r.expect(err == nil && len(offered.at("spec", "ports").items()) == 1, "the Service has not one port")
		for _, port := range offered.at("spec", "ports").items() {
			r.expect(slices.ContainsFunc(container.at("ports").items(), func(n node) bool {
				return n.at("name").String() == port.at("targetPort").String() && n.at("containerPort").String() == "8417"
			}), "the Service's port is not the page's")
		}
		return r
	}
}

func selected(service string) map[string]string {
	document, _ := parseYAML(service)
	labels := map[string]string{}
	for _, key := range document.at("spec", "selector").keys() {
		labels[key] = document.at("spec", "selector", key).String()
	}
	if len(labels) == 0 {
		labels["a Service"] = "that selects pods"
	}
	return labels
}

func checkCronJob(c cluster) func(string) []string {
	return func(content string) []string {
		var r report
		job, err := parseYAML(content)
		if err != nil {
			return []string{err.Error()}
		}
		r.expect(job.at("spec", "concurrencyPolicy").String() == "Forbid", "concurrencyPolicy is not Forbid")
		r.expect(!job.at("spec", "startingDeadlineSeconds").missing(), "no startingDeadlineSeconds: after a hundred missed slots it never starts again")
		r.expect(!job.at("spec", "timeZone").missing(), "the schedule is in whatever time zone the cluster has")
		deadline := job.at("spec", "jobTemplate", "spec", "activeDeadlineSeconds").number()
		r.expect(deadline > 0 && deadline < 24*60*60, "a run that hangs holds up the next night's")
		template := job.at("spec", "jobTemplate", "spec", "template")
		c.checkPod(&r, template)
		r.expect(template.at("spec", "restartPolicy").String() == "Never", "restartPolicy is not Never, which podFailurePolicy needs")
		for _, container := range template.at("spec", "containers").items() {
			r.expect(container.at("args").String() == "[sync]", "it does not sync")
			for _, rule := range job.at("spec", "jobTemplate", "spec", "podFailurePolicy", "rules").items() {
				r.expect(rule.at("onExitCodes", "containerName").String() == container.at("name").String(), "podFailurePolicy names another container")
				r.expect(rule.at("onExitCodes", "values").String() == "[2 4 7 8]", "podFailurePolicy gives up on other exit codes than 2, 4, 7 and 8")
			}
		}
		return r
	}
}

// podMistakes can be made in either file.
func podMistakes() []spoiled {
	return []spoiled{
		{"service links", "enableServiceLinks: false", "enableServiceLinks: true", "enableServiceLinks"},
		{"service links by default", "enableServiceLinks: false", "dnsPolicy: ClusterFirst", "enableServiceLinks"},
		{"a token of the cluster", "automountServiceAccountToken: false", "dnsPolicy: ClusterFirst", "token of the cluster"},
		{"root", "runAsNonRoot: true", "runAsNonRoot: false", "runAsNonRoot"},
		{"root by number", "runAsUser: 65532", "runAsUser: 0", "root"},
		{"a volume of somebody else", "fsGroup: 65532", "supplementalGroups: []", "fsGroup"},
		{"no seccomp", "type: RuntimeDefault", "type: Unconfined", "seccomp"},
		{"privileges", "allowPrivilegeEscalation: false", "allowPrivilegeEscalation: true", "allowPrivilegeEscalation"},
		{"writable", "readOnlyRootFilesystem: true", "readOnlyRootFilesystem: false", "root file system"},
		{"capabilities", "drop: [ALL]", "drop: [NET_RAW]", "capabilities"},
		{"a capability again", "drop: [ALL]", "{drop: [ALL], add: [SYS_ADMIN]}", "capabilities"},
		{"no limit", "limits: {memory: 1Gi}", "limits: {cpu: 1}", "memory"},
		{"a Secret that is not there", "secretName: flashback-sync", "secretName: flashback", "no Secret"},
		{"a key that is not there", "flashback-sync/token", "flashback-sync/tokens", "no tokens"},
		{"a token in the clear", "- name: FLASHBACK_SYNC_API_TOKEN_FILE\n", "- {name: MY_TOKEN, value: abc}\n            - name: FLASHBACK_SYNC_API_TOKEN_FILE\n", "in the clear"},
		{"a token that needs a restart", "- name: FLASHBACK_SYNC_API_TOKEN_FILE\n", "- name: FLASHBACK_SYNC_LOG_LEVEL\n", "need a restart"},
		{"secrets elsewhere", "mountPath: /run/secrets/flashback-sync", "mountPath: /secrets", "not mounted"},
		{"a claim that is not there", "claimName: flashback-sync-data", "claimName: data", "no claim"},

		{"a volume that is not there", "- {name: data,", "- {name: lake,", "no volume"},
		{"data in the container", "mountPath: /data", "mountPath: /var/data", "not mounted"},
		{"a configuration elsewhere", "value: /etc/flashback-sync/flashback-sync.yaml", "value: /etc/flashback-sync.yaml", "is not where"},
		{"a variable that is none", "- name: FLASHBACK_SYNC_CONFIG\n", "- {name: FLASHBACK_SYNC_SERVICE_HOST, value: 10.0.0.1}\n            - name: FLASHBACK_SYNC_CONFIG\n", "refuses"},
		{"killed early", "terminationGracePeriodSeconds: 60", "terminationGracePeriodSeconds: 30", "killed"},
	}
}

func TestDeploymentKeepsItsPromises(t *testing.T) {
	judge(t, deploymentFile, checkDeployment(theCluster(t), read(t, serviceFile)), append(
		indented(podMistakes(), 8),
		spoiled{"two at once", "type: Recreate", "type: RollingUpdate", "Recreate"},
		spoiled{"labels nobody selects", "      labels:\n        app.kubernetes.io/name: ", "      labels:\n        app: ", "Service does not select"},
		spoiled{"labels no policy holds for", "      labels:\n        app.kubernetes.io/name: ", "      labels:\n        app: ", "NetworkPolicy"},
		spoiled{"two replicas", "replicas: 1", "replicas: 2", "replicas"},
		spoiled{"no password", "FLASHBACK_SYNC_SERVE_PASSWORD_FILE", "PAGE_PASSWORD_FILE", "password"},
		spoiled{"a probe that needs the password", "path: /healthz", "path: /", "Probe"},
		spoiled{"a page that is gone when it is needed", "httpGet: {path: /healthz, port: page}\n            periodSeconds: 15", "httpGet: {path: /readyz, port: page}\n            periodSeconds: 15", "Probe"},
		spoiled{"another port", "containerPort: 8417", "containerPort: 8080", "port"},
	)...)
}

func TestCronJobKeepsItsPromises(t *testing.T) {
	judge(t, cronJobFile, checkCronJob(theCluster(t)), append(
		indented(podMistakes(), 12),
		spoiled{"two at once", "Forbid", "Allow", "Forbid"},
		spoiled{"restarted in place", "restartPolicy: Never", "restartPolicy: OnFailure", "restartPolicy"},
		spoiled{"labels no policy holds for", "app.kubernetes.io/name: ", "app: ", "NetworkPolicy"},
		spoiled{"the CronJob held up indefinitely", "activeDeadlineSeconds: 82800", "ttlSecondsAfterFinished: 82800", "holds up"},
		spoiled{"never again", "startingDeadlineSeconds", "ttlSecondsAfterFinished", "never starts again"},
		spoiled{"any time zone", "timeZone: Etc/UTC", "suspend: false", "time zone"},
		spoiled{"a partial run given up", "[2, 4, 7, 8]", "[2, 3, 4, 7, 8]", "gives up"},
		spoiled{"another container", "containerName: flashback-sync", "containerName: sync", "another container"},
	)...)
}

// indented moves inserted lines to the depth of the file's containers.
func indented(mistakes []spoiled, depth int) []spoiled {
	for i := range mistakes {
		mistakes[i].new = strings.ReplaceAll(mistakes[i].new, "\n            - name", "\n"+strings.Repeat(" ", depth+4)+"- name")
		mistakes[i].old = strings.ReplaceAll(mistakes[i].old, "        app.kub", strings.Repeat(" ", depth)+"app.kub")
		mistakes[i].new = strings.ReplaceAll(mistakes[i].new, "        app:", strings.Repeat(" ", depth)+"app:")
	}
	return mistakes
}

// The files that pods refer to are spoiled in turn.
func TestWhatPodsReferToIsThere(t *testing.T) {
	deployment := read(t, deploymentFile)
	with := func(change func(c *cluster, content string)) func(string) []string {
		return func(content string) []string {
			c := theCluster(t)
			change(&c, content)
			return checkDeployment(c, read(t, serviceFile))(deployment)
		}
	}
	judge(t, secretFile, with(func(c *cluster, s string) { c.secret = s }),
		spoiled{"a key less", "  page-password: REPLACE-ME\n", "", "no page-password"},
		spoiled{"another Secret", "name: flashback-sync\n", "name: flashback\n", "no Secret"})
	judge(t, dataFile, with(func(c *cluster, s string) { c.data = s }),
		spoiled{"another claim", "name: flashback-sync-data", "name: data", "no claim"})
	judge(t, baseFile, with(func(c *cluster, s string) { c.base = s }),
		spoiled{"another ConfigMap", "- name: flashback-sync\n", "- name: config\n", "no ConfigMap"},
		spoiled{"another file", "- flashback-sync.yaml", "- config.yaml", "no ConfigMap"})
	judge(t, networkFile, with(func(c *cluster, s string) { c.network = s }),
		spoiled{"other pods", "app.kubernetes.io/name: flashback-sync", "app: flashback-sync", "NetworkPolicy"})
	judge(t, configFile, with(func(c *cluster, s string) { c.configuration = s }),
		spoiled{"a misspelt key", "lookback: 48h}", "look_back: 48h}", "refuses"},
		spoiled{"a schedule that is none", `"0 2 * * *"`, `"0 25 * * *"`, "refuses"})
	judge(t, serviceFile, func(s string) []string { return checkDeployment(theCluster(t), s)(deployment) },
		spoiled{"other pods", "app.kubernetes.io/name: flashback-sync", "app: flashback-sync", "Service does not select"},
		spoiled{"another port", "targetPort: page", "targetPort: http", "port"})
}

// A Secret among the resources would put its placeholder in the place of the token
// whenever the rest is applied, and a volume would be deleted with the rest.
func TestNeitherSecretNorVolumeComesAndGoesWithTheRest(t *testing.T) {
	for _, file := range []string{baseFile, "deploy/kubernetes/serve/kustomization.yaml", "deploy/kubernetes/cronjob/kustomization.yaml"} {
		document, err := parseYAML(read(t, file))
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(document.at("resources").String(), "secret") {
			t.Errorf("%s applies the example of a Secret", file)
		}
		if strings.Contains(document.at("resources").String(), "data") {
			t.Errorf("kubectl delete -k %s deletes the data", file)
		}
	}
}

// Why enableServiceLinks is false: what Kubernetes would set for the Service.
func TestVariablesOfAServiceAreRefused(t *testing.T) {
	configuration := read(t, configFile)
	if err := accepted(configuration, map[string]string{"FLASHBACK_SYNC_PORT_8417_TCP_ADDR": "10.0.0.1"}); err == nil {
		t.Error("they are accepted: enableServiceLinks may be left out")
	}
}

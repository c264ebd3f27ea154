package packaging

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// instruction is a line of a Dockerfile, continued lines joined.
type instruction struct{ name, args string }

func instructions(content string) (list []instruction) {
	joined := ""
	for line := range strings.Lines(content) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		before, more := strings.CutSuffix(line, `\`)
		joined += " " + strings.TrimSpace(before)
		if more {
			continue
		}
		name, args, _ := strings.Cut(strings.TrimSpace(joined), " ")
		list = append(list, instruction{strings.ToUpper(name), strings.TrimSpace(args)})
		joined = ""
	}
	return list
}

// stage is what is in effect at the end of the last stage.
type stage struct {
	last map[string]string // by instruction, the one that counts
	all  []instruction
	env  map[string]string
}

func lastStage(list []instruction) stage {
	s := stage{last: map[string]string{}, env: map[string]string{}}
	for _, i := range list {
		if i.name == "FROM" {
			s = stage{last: map[string]string{}, env: map[string]string{}}
		}
		s.all = append(s.all, i)
		s.last[i.name] = i.args
		if i.name == "ENV" {
			for _, pair := range strings.Fields(i.args) {
				name, value, _ := strings.Cut(pair, "=")
				s.env[name] = strings.Trim(value, `"`)
			}
		}
	}
	return s
}

// execForm are the words of an instruction that needs no shell, nil if it does.
func execForm(args string) (words []string) {
	if json.Unmarshal([]byte(args), &words) != nil {
		return nil
	}
	return words
}

var secretive = regexp.MustCompile(`(?i)token|password|secret`)

func checkDockerfile(goMod string) func(string) []string {
	return func(content string) []string {
		var r report
		list := instructions(content)
		stages := map[string]bool{}
		for _, i := range list {
			switch i.name {
			case "FROM":
				words := strings.Fields(i.args)
				image := words[0]
				r.expect(stages[image] || pinned(image), "FROM %s is not pinned", image)
				if len(words) == 3 {
					stages[words[2]] = true
				}
				if _, tag, ok := strings.Cut(image, "golang:"); ok {
					release, _, _ := strings.Cut(tag, "-")
					r.expect(strings.Count(release, ".") == 2, "golang:%s names no exact release, and another one makes other bytes", tag)
					r.expect(strings.HasPrefix(release+".", goLine(goMod)+"."), "golang:%s is not Go %s of go.mod", tag, goLine(goMod))
				}
			case "ADD":
				r.expect(false, "ADD fetches and unpacks: use COPY")
			case "ENV", "ARG":
				r.expect(!secretive.MatchString(i.args), "%s %s: a secret does not belong in an image", i.name, i.args)
			}
		}
		r.expect(strings.Contains(content, "make release-binary "), "the binary is not built as the release is")
		final := lastStage(list)
		r.expect(regexp.MustCompile(`^[1-9][0-9]*:[1-9][0-9]*$`).MatchString(final.last["USER"]), "USER %q is not the number of somebody but root", final.last["USER"])
		_, runs := final.last["RUN"]
		r.expect(!runs, "the last stage has no shell to RUN with")
		entry := execForm(final.last["ENTRYPOINT"])
		r.expect(len(entry) == 1, "ENTRYPOINT is not the program in exec form: signals would not reach it")
		r.expect(slices.Equal(execForm(final.last["CMD"]), []string{"serve"}), "CMD is not serve in exec form")
		_, probe, _ := strings.Cut(final.last["HEALTHCHECK"], "CMD ")
		r.expect(slices.Equal(execForm(strings.TrimSpace(probe)), append(slices.Clone(entry), "serve", "--probe")), "HEALTHCHECK does not ask serve in exec form")
		r.expect(final.last["VOLUME"] == final.env["FLASHBACK_SYNC_DATA_DIR"] && final.last["WORKDIR"] == final.last["VOLUME"], "VOLUME, WORKDIR and data_dir are not the same")
		r.expect(strings.HasSuffix(final.env["FLASHBACK_SYNC_SERVE_LISTEN"], ":"+final.last["EXPOSE"]), "EXPOSE is not the port of serve.listen")
		r.expect(slices.ContainsFunc(final.all, func(i instruction) bool {
			return i.name == "COPY" && strings.Contains(i.args, "--chown="+final.last["USER"]) && strings.HasSuffix(i.args, " "+final.last["VOLUME"])
		}), "nobody gives the folder of the data to USER")
		variables := map[string]string{"FLASHBACK_SYNC_STREAMS": "alerts"}
		for name, value := range final.env {
			variables[name] = value
		}
		err := accepted("", variables)
		r.expect(err == nil, "the program refuses the image's variables: %v", err)
		return r
	}
}

// pinned reports an image with a digest, or a tag that is not latest.
func pinned(image string) bool {
	if strings.Contains(image, "@sha256:") {
		return true
	}
	_, tag, tagged := strings.Cut(image[strings.LastIndex(image, "/")+1:], ":")
	return tagged && tag != "latest" && tag != ""
}

// goLine is the language version of go.mod, such as 1.26.
func goLine(goMod string) string {
	return regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindStringSubmatch(goMod)[1]
}

func TestDockerfileKeepsItsPromises(t *testing.T) {
	judge(
		t, "Dockerfile", checkDockerfile(read(t, "go.mod")),
		spoiled{"latest", "golang:1.26.8-bookworm", "golang:latest", "not pinned"},
		spoiled{"no tag", "cc-debian12:nonroot", "cc-debian12", "not pinned"},
		spoiled{"a moving release of Go", "golang:1.26.8-", "golang:1.26-", "no exact release"},
		spoiled{"another Go", "golang:1.26.8", "golang:1.25.8", "not Go 1.26"},
		spoiled{"root", "USER 65532:65532", "USER root", "but root"},
		spoiled{"root by number", "USER 65532:65532", "USER 0:0", "but root"},
		spoiled{"no user", "USER 65532:65532\n", "", "but root"},
		spoiled{"a shell as entry point", `ENTRYPOINT ["/usr/local/bin/flashback-sync"]`, "ENTRYPOINT flashback-sync", "ENTRYPOINT"},
		spoiled{"a shell as health check", `CMD ["/usr/local/bin/flashback-sync", "serve", "--probe"]`, "CMD flashback-sync serve --probe", "HEALTHCHECK"},
		spoiled{"no health check", "HEALTHCHECK", "#HEALTHCHECK", "HEALTHCHECK"},
		spoiled{"a token in the image", "ENV FLASHBACK", "ENV FLASHBACK_TOKEN=x FLASHBACK", "secret"},
		spoiled{"a variable that is none", "ENV FLASHBACK_SYNC_DATA_DIR", "ENV FLASHBACK_SYNC_DATA_DIRS=/x FLASHBACK_SYNC_DATA_DIR", "refuses"},
		spoiled{"another port", "EXPOSE 8417", "EXPOSE 8080", "EXPOSE"},
		spoiled{"data of root", "--chown=65532:65532 ", "", "to USER"},
		spoiled{"another volume", "VOLUME /data", "VOLUME /var/data", "not the same"},
		spoiled{"a RUN without a shell", "VOLUME /data", "RUN true\nVOLUME /data", "no shell"},
		spoiled{"other flags", "make release-binary ", "go build ", "as the release is"},
		spoiled{"ADD", "COPY LICENSE", "ADD LICENSE", "ADD"},
	)
}

// What the image is built from: neither what a checkout happens to hold, nor less
// than the build needs.
func TestDockerignoreKeepsSecretsAndDataOut(t *testing.T) {
	judge(
		t, ".dockerignore",
		func(content string) []string {
			var r report
			lines := strings.Split(content, "\n")
			for _, out := range []string{".git", "bin", "data", "demo-data", "deploy", "dist"} {
				r.expect(slices.Contains(lines, out), "%s gets into the build", out)
			}
			for _, in := range []string{"LICENSE", "Makefile", "go.mod", "go.sum", "cmd", "internal"} {
				r.expect(!slices.Contains(lines, in), "%s is lacking in the build", in)
			}
			return r
		},
		spoiled{"the data", "\ndata\n", "\n", "data gets"},
		spoiled{"the secrets beside compose.yaml", "\ndeploy\n", "\n", "deploy gets"},
		spoiled{"the license", ".git\n", ".git\nLICENSE\n", "LICENSE is lacking"},
	)
}

package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// pathKeys are the keys that hold the path of a file or folder.
func pathKeys() (all []field) {
	for _, f := range keys() {
		if f.tag.Get("check") == "path" {
			all = append(all, f)
		}
	}
	return all
}

// yamlOf is a file with one key beside a stream.
func yamlOf(path, text string) []byte {
	keys := strings.Split(path, ".")
	var b strings.Builder
	for i, name := range keys {
		b.WriteString(strings.Repeat("  ", i) + name + ":")
		if i < len(keys)-1 {
			b.WriteByte('\n')
		}
	}
	return []byte(b.String() + " " + text + "\nstreams: {alerts: }\n")
}

func TestRelativePathsAreBelowTheFilesFolder(t *testing.T) {
	if len(pathKeys()) != 7 {
		t.Errorf("%d keys hold a path", len(pathKeys()))
	}
	for _, k := range pathKeys() {
		for text, want := range map[string]string{"a/b": "/etc/tool/a/b", "../a": "/etc/a", "/a": "/a"} {
			got, err := Parse(yamlOf(k.path, text), "/etc/tool/config.yaml", nil)
			if err != nil {
				t.Fatal(err)
			}
			if value(k, got) != want {
				t.Errorf("%s: %s is %v, want %s", k.path, text, value(k, got), want)
			}
		}
	}
}

func TestDefaultDataDirIsBelowTheFilesFolder(t *testing.T) {
	for file, want := range map[string]string{"/etc/tool/config.yaml": "/etc/tool/data", "config.yaml": "data", "a/config.yaml": "a/data"} {
		got, err := Parse([]byte("streams: {alerts: }"), file, nil)
		if err != nil || got.DataDir != want {
			t.Errorf("%s: got %+v, %v, want %s", file, got, err, want)
		}
	}
	env := variables{"FLASHBACK_SYNC_STREAMS": "alerts"}
	if got, err := Load("", env.get); err != nil || got.DataDir != "data" {
		t.Errorf("without a file: got %+v, %v", got, err)
	}
}

func TestRelativePathOfAVariableIsBelowTheWorkingDirectory(t *testing.T) {
	for _, k := range pathKeys() {
		env := variables{variable(k.path): "a/b"}
		got, err := Parse([]byte("streams: {alerts: }"), "/etc/tool/config.yaml", env.get)
		if err != nil || value(k, got) != "a/b" {
			t.Errorf("%s: got %v, %v", k.path, got, err)
		}
	}
}

func TestDataAtTheFormerPlaceStopsTheProgram(t *testing.T) {
	for _, k := range pathKeys() {
		for _, made := range []string{"state", "flashback.duckdb", "lake"} {
			work, folder := t.TempDir(), t.TempDir()
			t.Chdir(work)
			former := filepath.Join(work, "used")
			file := filepath.Join(folder, "config.yaml")
			parse := func() string {
				_, err := Parse(yamlOf(k.path, "used"), file, nil)
				return text(err)
			}
			if err := os.Mkdir(former, 0o700); err != nil {
				t.Fatal(err)
			}
			if got := parse(); got != "" {
				t.Errorf("%s: an empty folder is in nobody's use: %s", k.path, got)
			}
			if err := os.Mkdir(filepath.Join(former, made), 0o700); err != nil {
				t.Fatal(err)
			}
			got := parse()
			for _, want := range []string{file + ":", k.path + ": is now relative", k.name() + ": " + former, k.name() + ": " + filepath.Join(folder, "used")} {
				if !strings.Contains(got, want) {
					t.Errorf("no %q in %q", want, got)
				}
			}
			if err := os.WriteFile(filepath.Join(folder, "used"), nil, 0o600); err != nil {
				t.Fatal(err)
			}
			if got := parse(); got != "" {
				t.Errorf("%s: the new place is in use: %s", k.path, got)
			}
		}
	}
}

func TestDataOfTheDefaultAtTheFormerPlaceStopsTheProgram(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.MkdirAll("data/state", 0o700); err != nil {
		t.Fatal(err)
	}
	_, err := Parse([]byte("# nothing\nstreams: {alerts: }"), "/etc/tool/config.yaml", nil)
	if got := text(err); !strings.HasPrefix(got, "/etc/tool/config.yaml:1:1: data_dir: is now relative") {
		t.Errorf("got %s", got)
	}
}

package main

import (
	"bytes"
	"cmp"
	"context"
	"debug/buildinfo"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
)

// modules are what is linked into the binary, sorted, and the Go release that
// linked it. They come from the binary itself: go.mod also lists what other
// platforms and tests need.
func modules(binary string) (deps []*debug.Module, goVersion string, err error) {
	info, err := buildinfo.ReadFile(binary)
	if err != nil {
		return nil, "", fmt.Errorf("read what is in the binary: %w", err)
	}
	for _, dep := range info.Deps {
		if dep.Replace != nil {
			dep = dep.Replace
		}
		deps = append(deps, dep)
	}
	slices.SortFunc(deps, func(a, b *debug.Module) int { return cmp.Compare(a.Path, b.Path) })
	return deps, strings.TrimPrefix(info.GoVersion, "go"), nil
}

// licenses are the texts that have to travel with the binary. A module without
// any is an error: somebody has to look at it.
func licenses(ctx context.Context, binary string) ([]byte, error) {
	deps, goVersion, err := modules(binary)
	if err != nil {
		return nil, err
	}
	folders, err := moduleFolders(ctx, deps)
	if err != nil {
		return nil, err
	}
	goroot, err := ask(ctx, "env", "GOROOT")
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	fmt.Fprintln(&text, "flashback-sync contains the following software, each under its own license.")
	if err := addLicenses(&text, "Go "+goVersion, strings.TrimSpace(goroot)); err != nil {
		return nil, err
	}
	for _, dep := range deps {
		if err := addLicenses(&text, dep.Path+" "+dep.Version, folders[dep.Path]); err != nil {
			return nil, err
		}
	}
	return text.Bytes(), nil
}

func moduleFolders(ctx context.Context, deps []*debug.Module) (map[string]string, error) {
	args := []string{"list", "-m", "-f", "{{.Path}}\t{{.Dir}}"}
	for _, dep := range deps {
		args = append(args, dep.Path)
	}
	output, err := ask(ctx, args...)
	if err != nil {
		return nil, err
	}
	folders := map[string]string{}
	for line := range strings.Lines(output) {
		path, folder, _ := strings.Cut(strings.TrimSpace(line), "\t")
		folders[path] = folder
	}
	return folders, nil
}

// ask asks the go command.
func ask(ctx context.Context, args ...string) (string, error) {
	command := exec.CommandContext(ctx, "go", args...) //nolint:gosec // paths of modules, from a binary we built
	command.Stderr = os.Stderr
	output, err := command.Output()
	if err != nil {
		return "", fmt.Errorf("go %s: %w", args[0], err)
	}
	return string(output), nil
}

func addLicenses(text *bytes.Buffer, of, folder string) error {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return fmt.Errorf("read the license of %s: %w", of, err)
	}
	found := false
	for _, e := range entries {
		if e.IsDir() || !isLicense(e.Name()) {
			continue
		}
		content, err := os.ReadFile(filepath.Join(folder, e.Name()))
		if err != nil {
			return err
		}
		fmt.Fprintf(text, "\n%s\n%s (%s)\n\n%s\n", strings.Repeat("=", 80), of, e.Name(), bytes.TrimSpace(content))
		found = true
	}
	if !found {
		return fmt.Errorf("%s has no license file", of)
	}
	return nil
}

func isLicense(name string) bool {
	name = strings.ToUpper(name)
	return slices.ContainsFunc([]string{"LICENSE", "LICENCE", "COPYING", "NOTICE", "PATENTS"}, func(prefix string) bool {
		return strings.HasPrefix(name, prefix)
	})
}

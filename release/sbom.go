package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"time"
)

// bom is the part of CycloneDX 1.6 that is filled. It has no serial number: that
// would be another one in every build.
type bom struct {
	Format       string       `json:"bomFormat"`
	SpecVersion  string       `json:"specVersion"`
	Version      int          `json:"version"`
	Metadata     metadata     `json:"metadata"`
	Components   []component  `json:"components"`
	Dependencies []dependency `json:"dependencies"`
}

type metadata struct {
	Timestamp string    `json:"timestamp"`
	Component component `json:"component"`
}

type component struct {
	Type       string     `json:"type"`
	Ref        string     `json:"bom-ref"`
	Name       string     `json:"name"`
	Version    string     `json:"version"`
	PURL       string     `json:"purl"`
	CPE        string     `json:"cpe,omitempty"`
	Hashes     []hash     `json:"hashes,omitempty"`
	Properties []property `json:"properties,omitempty"`
}

type hash struct {
	Algorithm string `json:"alg"`
	Content   string `json:"content"`
}

type property struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type dependency struct {
	Ref       string   `json:"ref"`
	DependsOn []string `json:"dependsOn,omitempty"`
}

// sbom says what the binary consists of: its modules, Go itself, and DuckDB, whose
// C++ no list of modules shows. How modules depend on each other a binary does not
// say, so all hang on the program.
func sbom(ctx context.Context, binary, version string, at time.Time) ([]byte, error) {
	deps, goVersion, err := modules(binary)
	if err != nil {
		return nil, err
	}
	content, err := os.ReadFile(binary)
	if err != nil {
		return nil, err
	}
	duckdb, err := duckDBVersion(ctx, binary)
	if err != nil {
		return nil, err
	}
	program := component{
		Type: "application", Name: "flashback-sync", Version: version,
		PURL:   "pkg:github/flashback-sync/flashback-sync@" + version,
		Hashes: []hash{{"SHA-256", fmt.Sprintf("%x", sha256.Sum256(content))}},
	}
	program.Ref = program.PURL
	components := []component{
		library("DuckDB", duckdb, "pkg:github/duckdb/duckdb@v"+duckdb),
		library("std", goVersion, "pkg:golang/std@"+goVersion),
	}
	components[0].CPE = "cpe:2.3:a:duckdb:duckdb:" + duckdb + ":*:*:*:*:*:*:*"
	for _, dep := range deps {
		c := library(dep.Path, dep.Version, "pkg:golang/"+dep.Path+"@"+dep.Version)
		if dep.Sum != "" {
			c.Properties = []property{{"flashback-sync:go.sum", dep.Sum}}
		}
		components = append(components, c)
	}
	tree := []dependency{{Ref: program.Ref}}
	for _, c := range components {
		tree[0].DependsOn = append(tree[0].DependsOn, c.Ref)
		tree = append(tree, dependency{Ref: c.Ref})
	}
	text, err := json.MarshalIndent(bom{
		Format: "CycloneDX", SpecVersion: "1.6", Version: 1,
		Metadata:   metadata{Timestamp: at.Format(time.RFC3339), Component: program},
		Components: components, Dependencies: tree,
	}, "", "  ")
	return append(text, '\n'), err
}

func library(name, version, purl string) component {
	return component{Type: "library", Ref: purl, Name: name, Version: version, PURL: purl}
}

var duckDBIn = regexp.MustCompile(`DuckDB v([0-9][0-9.]*)`)

// duckDBVersion is what the binary says of itself.
func duckDBVersion(ctx context.Context, binary string) (string, error) {
	output, err := job{binary: binary}.ask(ctx, "version")
	if err != nil {
		return "", err
	}
	found := duckDBIn.FindSubmatch(output)
	if found == nil {
		return "", fmt.Errorf("the binary does not say which DuckDB is built in: %q", output)
	}
	return string(found[1]), nil
}

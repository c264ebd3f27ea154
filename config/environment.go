package config

import (
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"
)

const (
	variablePrefix = "FLASHBACK_SYNC_"
	// streamsVariable names the streams where there is no file to do so.
	streamsVariable = variablePrefix + "STREAMS"
	// pathVariable names the file; it is the command line's, not a key's.
	pathVariable = variablePrefix + "CONFIG"
)

// streamNames are the streams, as keys under streams.
func streamNames() []string { return []string{"alerts", "violations", "policy_stats"} }

// variable is the environment variable that overrides a key.
func variable(path string) string {
	return variablePrefix + strings.ToUpper(strings.ReplaceAll(path, ".", "_"))
}

// overrides are the settings the environment makes. An empty variable counts
// as one that is not set.
func overrides(table []key, env func(string) (string, bool)) map[string]setting {
	settings := map[string]setting{}
	for _, k := range table {
		if text, _ := env(variable(k.path)); text != "" {
			settings[k.path] = setting{node: k.node(text), from: origin{source: variable(k.path)}}
		}
	}
	return settings
}

// node is a value written as text, in the form the key's type wants.
func (k key) node(text string) *yaml.Node {
	switch k.field(blank()).(type) {
	case *[]string:
		return listNode(split(text, ","))
	case *[]Scope:
		return scopeNodes(text)
	case *time.Duration, *bool, **bool, *int, *float64, *time.Time:
		return textNode(strings.TrimSpace(text))
	}
	return textNode(text)
}

func textNode(text string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Value: text}
}

func listNode(texts []string) *yaml.Node {
	list := &yaml.Node{Kind: yaml.SequenceNode}
	for _, text := range texts {
		list.Content = append(list.Content, textNode(text))
	}
	return list
}

// split is the items of a list in a variable, without the spaces around them.
func split(text, separator string) []string {
	if strings.TrimSpace(text) == "" {
		return nil
	}
	items := strings.Split(text, separator)
	for i := range items {
		items[i] = strings.TrimSpace(items[i])
	}
	return items
}

// namedStreams are the streams that streamsVariable names. It is for running
// without a file: beside one it would be a second opinion.
func namedStreams(env func(string) (string, bool), withFile bool) ([]string, Problems) {
	text, _ := env(streamsVariable)
	if text == "" {
		return nil, nil
	}
	from := origin{source: streamsVariable}
	if withFile {
		return nil, Problems{from.problem("streams", "names streams only where there is no file, write them in the file")}
	}
	names := split(text, ",")
	for _, name := range names {
		if !slices.Contains(streamNames(), name) {
			message := "must name " + strings.Join(streamNames(), ", ") + ", separated by commas"
			return nil, Problems{from.problem("streams", message+didYouMean(name, streamNames()))}
		}
	}
	return names, nil
}

// strayVariables are those that look like ours and are not, but for those
// that are named to hold a secret.
func strayVariables(table []key, environ []string, named ...string) Problems {
	known := []string{streamsVariable, pathVariable}
	for _, k := range table {
		known = append(known, variable(k.path))
	}
	var problems Problems
	for _, entry := range environ {
		name, _, _ := strings.Cut(entry, "=")
		if !strings.HasPrefix(name, variablePrefix) || slices.Contains(named, name) || slices.Contains(known, name) {
			continue
		}
		if len(name) > 80 || strings.ContainsFunc(name, unusual) {
			name = variablePrefix + "..." // whatever this is, it is not shown
		}
		problems = append(problems, origin{source: name}.problem("", strayMessage(name, known)))
	}
	return problems
}

func strayMessage(name string, known []string) string {
	short := func(name string) string { return strings.TrimPrefix(name, variablePrefix) }
	var names []string
	for _, k := range known {
		names = append(names, short(k))
	}
	if near := nearest(short(name), names); near != "" {
		return "unknown variable; did you mean " + variablePrefix + near + "?"
	}
	if looksSecret(short(name)) {
		return "unknown variable; the token belongs in " + defaultTokenEnv + ", or where api.token_env says"
	}
	return "unknown variable, remove it; a key's variable is " + variablePrefix + " and its path, such as " + variable("api.base_url")
}

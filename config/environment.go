package config

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

const (
	variablePrefix = "FLASHBACK_SYNC_"
	// streamsVariable names the streams where there is no file to do so.
	streamsVariable = variablePrefix + "STREAMS"
	// pathVariable names the file; it is the command line's, not a key's.
	pathVariable = variablePrefix + "CONFIG"
)

// variable is the environment variable that overrides a key.
func variable(path string) string {
	return variablePrefix + strings.ToUpper(strings.ReplaceAll(path, ".", "_"))
}

// fromVariable is the text of a variable in the form that the key's type wants.
func (f field) fromVariable(text string) *yaml.Node {
	switch f.value.Addr().Interface().(type) {
	case *[]string:
		return listNode(split(text, ","))
	case *[]Scope, *[]View:
		return f.entriesNode(text)
	case *map[string]string:
		return columnsNode(text)
	case *string:
		return textNode(text)
	}
	return textNode(strings.TrimSpace(text))
}

func textNode(text string) *yaml.Node { return &yaml.Node{Kind: yaml.ScalarNode, Value: text} }

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

// unknownVariables reports those with our prefix that are no key's, except those
// that are named to hold a secret.
func (d *decoder) unknownVariables(environ []string) {
	c := d.config
	known := []string{streamsVariable, pathVariable}
	for _, f := range keys() {
		known = append(known, variable(f.path))
	}
	secrets := []string{c.API.TokenEnv, c.Privacy.KeyEnv, c.Serve.PasswordEnv, c.Alarms.PingURLEnv, c.Alarms.WebhookURLEnv}
	for _, entry := range environ {
		name, _, _ := strings.Cut(entry, "=")
		if !strings.HasPrefix(name, variablePrefix) || slices.Contains(secrets, name) || slices.Contains(known, name) {
			continue
		}
		if len(name) > 80 || strings.ContainsFunc(name, unusual) {
			name = variablePrefix + "..." // whatever this is, it is not shown
		}
		d.report(Position{Source: name}, "", unknownVariable(name, known))
	}
}

// unknownVariable says what to do about a variable that is no key's.
func unknownVariable(name string, known []string) string {
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

package config

import (
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// choose takes the environment's setting of a key before the file's. Of the
// ways to find the token one may be set; the environment's replaces the
// file's, whichever it is, and any replaces the default.
func choose(file, environment map[string]setting) (map[string]setting, Problems) {
	chosen := maps.Clone(file)
	ways := []string{tokenEnvKey, tokenFileKey, tokenCommandKey}
	for _, way := range ways {
		if _, ok := environment[way]; ok {
			for _, other := range ways {
				delete(chosen, other)
			}
		}
	}
	maps.Copy(chosen, environment)

	var set []string
	var problems Problems
	for _, way := range ways {
		if s, ok := chosen[way]; !ok || !says(s.node) {
			continue
		}
		set = append(set, way)
		if len(set) > 1 {
			problems = append(problems, chosen[way].from.problem(way,
				"cannot stand beside "+strings.TrimPrefix(set[0], "api.")+", keep one of token_env, token_file and token_command"))
		}
	}
	switch {
	case len(set) == 0 && isBlank(chosen[tokenEnvKey].node):
		delete(chosen, tokenEnvKey) // the default holds
	case len(set) > 0 && set[0] != tokenEnvKey:
		chosen[tokenEnvKey] = setting{node: textNode("")} // it does not
	}
	return chosen, problems
}

// says reports a value that is neither an empty text nor none.
func says(n *yaml.Node) bool {
	return n.Kind != yaml.ScalarNode || n.Value != "" && n.ShortTag() != "!!null"
}

func isBlank(n *yaml.Node) bool {
	return n != nil && n.Kind == yaml.ScalarNode && n.Value == "" && n.ShortTag() == "!!str"
}

// conflicts are keys that cannot stand together.
func conflicts(c *Config, chosen map[string]setting) Problems {
	var problems Problems
	for path, stream := range map[string]*ListStream{
		"streams.alerts":     c.Streams.Alerts,
		"streams.violations": c.Streams.Violations,
	} {
		if len(stream.Policies) > 0 && stream.Filter.PolicyID != "" {
			at := path + ".filter.policy_id"
			problems = append(problems, chosen[at].from.problem(at, "cannot stand beside policies, move it there or remove it"))
		}
	}
	return problems
}

// idleSchedules are schedules of streams that are not synced.
func idleSchedules(streams []string, chosen map[string]setting) (problems Problems) {
	for _, stream := range streamNames() {
		at := "schedule." + stream
		if s, set := chosen[at]; set && says(s.node) && !slices.Contains(streams, stream) {
			problems = append(problems, s.from.problem(at, "is for a stream that is not synced, remove it or write "+stream+": under streams"))
		}
	}
	return problems
}

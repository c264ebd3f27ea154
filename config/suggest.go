package config

import (
	"slices"
	"strings"
)

// unknown says what to do about a key that its section does not have.
func unknown(section field, name string) string {
	if near := nearest(name, section.names()); near != "" {
		return "unknown key; did you mean " + near + "?"
	}
	places, streams := placesOf(name)
	switch {
	case len(streams) > 0 && section.name() == lastName(places[0]):
		return "only " + list(streams) + " have it, move it to " + list(places)
	case looksSecret(name):
		return "never put the token in the file, put it in the environment variable " + defaultTokenEnv +
			", or write token_env, token_file or token_command under api to say where it is"
	case len(places) > 0:
		return "unknown key here; it belongs under " + strings.Join(places, " or ")
	}
	return "unknown key, remove it; the keys here are " + section.listed()
}

// placesOf are the sections that have a key, and the streams that it is for if not
// all have it.
func placesOf(name string) (places, streams []string) {
	for _, f := range fileOf(&Config{}).all() {
		if f.name() == name && f.path != name {
			places = append(places, strings.TrimSuffix(f.path, "."+name))
			if f.tag.Get("filter") != "" {
				streams = append(streams, f.stream.Name)
			}
		}
	}
	return places, streams
}

// looksSecret reports a name that people give to a key with a secret.
func looksSecret(name string) bool {
	name = strings.ToLower(strings.ReplaceAll(name, "-", "_"))
	return slices.ContainsFunc(
		[]string{"token", "secret", "passw", "bearer", "credential", "api_key", "apikey", "auth"},
		func(part string) bool { return strings.Contains(name, part) },
	)
}

// didYouMean ends a message with the nearest of the right names, if one is near.
func didYouMean(name string, right []string) string {
	if best := nearest(name, right); best != "" {
		return "; did you mean " + best + "?"
	}
	return ""
}

// nearest is the right name that takes the fewest changes, "" if none is near:
// one change in three letters and three in all, case and dashes aside.
func nearest(name string, right []string) string {
	const longest = 64 // keeps the work bounded, whatever the file holds
	if len(name) > longest {
		return ""
	}
	name = strings.ReplaceAll(strings.ToLower(name), "-", "_")
	best, fewest := "", min(max(1, len(name)/3), 3)+1
	for _, candidate := range right {
		if changes := distance(name, strings.ToLower(candidate)); changes < fewest {
			best, fewest = candidate, changes
		}
	}
	return best
}

// distance is Levenshtein's: the insertions, deletions and replacements of
// bytes that turn a into b.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replaced := diagonal
			if a[i] != b[j] {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}

// shown is a name as a message may show it. What does not look like the name
// of a key may be a misplaced secret, so it is not shown.
func shown(name string) string {
	const longest = 32
	if name == "" || len(name) > longest || strings.ContainsFunc(name, unusual) {
		return "(a key)"
	}
	return name
}

func unusual(r rune) bool {
	return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-", r)
}

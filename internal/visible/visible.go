// Package visible writes what strangers wrote so that a reader sees what is
// there: two names that differ never look alike, and no mark turns the direction
// of what is around it. It does not escape for HTML; html/template does.
package visible

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Text spells out what does not print, such as control characters and marks that
// turn the direction of writing.
func Text(s string) string { return spell(s, unicode.IsPrint) }

// Lines is Text that keeps the ends of lines.
func Lines(s string) string {
	return spell(s, func(char rune) bool { return char == '\n' || unicode.IsPrint(char) })
}

// Controls spells out the control characters only, but for tabs and the ends of lines:
// what a terminal could take for a command.
func Controls(s string) string {
	parts := strings.Split(s, "\r\n")
	for i, part := range parts {
		parts[i] = spell(part, func(char rune) bool { return char == '\n' || char == '\t' || !unicode.IsControl(char) })
	}
	return strings.Join(parts, "\r\n")
}

// Short makes a text from outside fit for one place on a terminal: control characters,
// which could move the cursor or set colours, become U+FFFD, and after limit
// characters it is cut; 0 is no limit.
func Short(s string, limit int) string {
	s = strings.Map(func(r rune) rune {
		if r != '\n' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r)) {
			return unicode.ReplacementChar
		}
		return r
	}, s)
	if runes := []rune(s); limit > 0 && len(runes) > limit {
		return string(runes[:limit]) + "…"
	}
	return s
}

// spell spells out what is not UTF-8 and what is not to be kept.
func spell(s string, keep func(rune) bool) string {
	var b strings.Builder
	for len(s) > 0 {
		char, size := utf8.DecodeRuneInString(s)
		if char == utf8.RuneError && size == 1 || !keep(char) {
			quoted := strconv.QuoteToASCII(s[:size])
			b.WriteString(quoted[1 : len(quoted)-1])
		} else {
			b.WriteString(s[:size])
		}
		s = s[size:]
	}
	return b.String()
}

// Term is one filter of a set. Its texts are as they came: see Text.
type Term struct {
	Key    string
	Values []string
}

// Terms are the filters of a set, by name. What is no set stays as it is.
func Terms(filter string) (all []Term) {
	var set map[string]any
	if json.Unmarshal([]byte(filter), &set) != nil || set == nil {
		return []Term{{Values: []string{filter}}}
	}
	for _, key := range slices.Sorted(maps.Keys(set)) {
		all = append(all, Term{Key: strings.ReplaceAll(key, "_", " "), Values: values(set[key])})
	}
	return all
}

func values(value any) (all []string) {
	many, ok := value.([]any)
	if !ok {
		return []string{fmt.Sprint(value)}
	}
	for _, v := range many {
		all = append(all, fmt.Sprint(v))
	}
	return all
}

package verify

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// grave lists what a comparison can find, the gravest first.
var grave = []Status{Missing, Differs, Unproven, Extra}

// gravity orders statuses; a match has none.
func gravity(s Status) int {
	if i := slices.Index(grave, s); i >= 0 {
		return len(grave) - i
	}
	return 0
}

// tally is how often something was found.
type tally struct {
	Status Status
	N      int64
}

// tallies leaves out what was not found.
func tallies(missing, extra, differs, unproven int64) []tally {
	all := []tally{{Missing, missing}, {Differs, differs}, {Unproven, unproven}, {Extra, extra}}
	return slices.DeleteFunc(all, func(t tally) bool { return t.N == 0 })
}

// stamp writes an instant; milliseconds only if there are any.
func stamp(t time.Time) string {
	if t.IsZero() {
		return "–"
	}
	return t.UTC().Format("2006-01-02 15:04:05.999Z")
}

func date(t time.Time) string { return t.UTC().Format(time.DateOnly) }

func took(d time.Duration) string {
	if d < time.Minute {
		return fmt.Sprintf("%.1f s", max(0, d.Seconds()))
	}
	return strings.TrimSuffix(d.Round(time.Second).String(), "m0s")
}

// visible spells out what does not print, such as marks that turn the direction
// of writing: two ids that differ must not look alike.
func visible(s string) string {
	var b strings.Builder
	for len(s) > 0 {
		char, size := utf8.DecodeRuneInString(s)
		if char == utf8.RuneError && size == 1 || !unicode.IsPrint(char) {
			quoted := strconv.QuoteToASCII(s[:size])
			b.WriteString(quoted[1 : len(quoted)-1])
		} else {
			b.WriteString(s[:size])
		}
		s = s[size:]
	}
	return b.String()
}

// term is one filter of a set.
type term struct {
	Key    string
	Values []string
}

// terms are the filters of a set, in its order. What is no set stands as it is.
func terms(filter string) (all []term) {
	raw := []term{{Values: []string{filter}}}
	if !json.Valid([]byte(filter)) {
		return raw
	}
	in := json.NewDecoder(strings.NewReader(filter))
	if start, err := in.Token(); err != nil || start != json.Delim('{') {
		return raw
	}
	for in.More() {
		key, err := in.Token()
		if err != nil {
			return raw
		}
		var value any
		if err := in.Decode(&value); err != nil {
			return raw
		}
		all = append(all, term{Key: strings.ReplaceAll(fmt.Sprint(key), "_", " "), Values: values(value)})
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

// class is the status as a name of the style sheet.
func class(s Status) string {
	if s == Match || gravity(s) > 0 {
		return string(s)
	}
	return "none"
}

// glyphs tell statuses apart without colour: outlines around the origin, 10 wide.
var glyphs = map[Status]string{
	Match:    "M-5.2.3-3.5-1.5-1.4.6 3.6-4.5 5.3-2.9-1.4 4.1Z",
	Missing:  "M-5.5-4.5H5.5L0 5Z",
	Differs:  "M0-5.8 5.8 0 0 5.8-5.8 0Z",
	Unproven: "M-5.2 0a5.2 5.2 0 1 0 10.4 0a5.2 5.2 0 1 0-10.4 0ZM-2.6 0a2.6 2.6 0 1 1 5.2 0a2.6 2.6 0 1 1-5.2 0Z",
	Extra:    "M-1.6-5.2h3.2v3.6h3.6v3.2h-3.6v3.6h-3.2v-3.6h-3.6v-3.2h3.6Z",
}

func glyph(s Status) string {
	if d, ok := glyphs[s]; ok {
		return d
	}
	return "M-5-1.2H5V1.2H-5Z"
}

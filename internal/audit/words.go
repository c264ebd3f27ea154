package audit

import (
	"fmt"
	"slices"
	"strings"

	"github.com/dustin/go-humanize"
	"github.com/dustin/go-humanize/english"
)

// Differences says what differs, in one line: of a stream with several queries once.
func (r *Report) Differences() string {
	var names, parts []string
	sums := map[string]*Counts{}
	for _, s := range r.Streams {
		if sums[s.Stream] == nil {
			names, sums[s.Stream] = append(names, s.Stream), &Counts{}
		}
		sums[s.Stream].Add(s.Counts)
		whole := s.Stream + " " + string(s.Status)
		if (s.Status == NotSynced || s.Status == NotVerified) && !slices.Contains(parts, whole) {
			parts = append(parts, whole)
		}
	}
	words := map[Status]string{Missing: "missing", Differs: "changed", Unproven: "unproven", Extra: "gone at the source"}
	for _, name := range names {
		for _, status := range BySeverity {
			if n := sums[name].Of(status); n > 0 {
				parts = append(parts, fmt.Sprintf("%s %s in %s", humanize.Comma(n), words[status], name))
			}
		}
	}
	if files := len(r.Altered()); files > 0 {
		parts = append(parts, english.Plural(files, "file", ""))
	}
	return strings.Join(parts, ", ")
}

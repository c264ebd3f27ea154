package config

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// The patterns are what the decoder accepts and what the JSON Schema says.
const (
	durationPattern = `^([0-9]+d([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))*|([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))+)$`
	timePattern     = `^[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2}))?$`
)

// parseDuration reads Go's durations, with days of 24 hours in front: 7d, 1d12h.
func parseDuration(text string) (time.Duration, bool) {
	if !regexp.MustCompile(durationPattern).MatchString(text) {
		return 0, false
	}
	const day = 24 * time.Hour
	number, rest, found := strings.Cut(text, "d")
	if !found {
		number, rest = "0", text
	}
	days, err := strconv.ParseInt(number, 10, 64)
	if err != nil || days > int64(math.MaxInt64/day) {
		return 0, false
	}
	if rest == "" {
		rest = "0s"
	}
	part, err := time.ParseDuration(rest)
	if err != nil || part > math.MaxInt64-time.Duration(days)*day {
		return 0, false
	}
	return time.Duration(days)*day + part, true
}

// parseTime reads an RFC 3339 time, or a date as its midnight in UTC. The
// result is in UTC; the complaint is "" if it is usable.
func parseTime(text string) (at time.Time, complaint string) {
	const example = "write 2024-01-01 or 2024-01-01T00:00:00Z"
	if !regexp.MustCompile(timePattern).MatchString(text) {
		return time.Time{}, "is not a date or an RFC 3339 time, " + example
	}
	layout := time.RFC3339
	if len(text) == len(time.DateOnly) {
		layout = time.DateOnly
	}
	at, err := time.Parse(layout, text)
	if err != nil {
		return time.Time{}, "is a date or time that does not exist, " + example
	}
	if at = at.UTC(); at.Year() < 2000 || at.Year() > 9999 {
		return time.Time{}, "must be in the years 2000 to 9999"
	}
	return at, ""
}

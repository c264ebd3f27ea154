package config

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"
)

// decode reads a single value into a Go field, whose type says what it may hold.
// It returns what is wrong with the value.
func (f field) decode(to any, n *yaml.Node) (complaint string) {
	switch to := to.(type) {
	case *string:
		text, complaint := plain(n)
		if complaint == "" {
			complaint = f.validate(text)
		}
		*to = text
		return complaint
	case *int:
		text, ok := scalar(n, "!!int")
		value, err := strconv.Atoi(text)
		if !ok || err != nil || float64(value) < f.bound("min") || float64(value) > f.bound("max") {
			return fmt.Sprintf("must be a whole number from %v to %v%s", f.bound("min"), f.bound("max"), found(n, ok))
		}
		*to = value
	case *float64:
		text, ok := scalar(n, "!!int", "!!float")
		value, err := strconv.ParseFloat(text, 64)
		if !ok || err != nil || math.IsInf(value, 0) || math.IsNaN(value) || value < f.bound("min") {
			return fmt.Sprintf("must be a number, %v or more%s", f.bound("min"), found(n, ok))
		}
		*to = value
	case *bool:
		text, ok := scalar(n, "!!bool")
		if text = strings.ToLower(text); !ok || text != "true" && text != "false" {
			return "must be true or false" + found(n, ok)
		}
		*to = text == "true"
	case **bool:
		*to = new(bool)
		return f.decode(*to, n)
	case *time.Duration:
		return f.decodeDuration(to, n)
	case *time.Time:
		return decodeTime(to, n)
	default:
		panic("config: no way to read " + f.path) // a test reads every key
	}
	return ""
}

// validate says what is wrong with a text, on its own or in a list.
func (f field) validate(text string) string {
	switch values := f.values(); {
	case text == "" && f.tag.Get("empty") == "ok":
		return ""
	case text == "":
		return "is empty, write a value"
	case values != nil && !slices.Contains(values, text):
		return "must be one of " + list(values)
	}
	return check(f.tag.Get("check"), text)
}

// values are the only texts allowed, nil for any.
func (f field) values() []string {
	if enum := f.tag.Get("enum"); enum != "" {
		return strings.Split(enum, ",")
	}
	return nil
}

// bound is what a number must not be below (min) or above (max).
func (f field) bound(name string) float64 {
	number, _ := strconv.ParseFloat(f.tag.Get(name), 64)
	return number
}

func list(names []string) string { return strings.Join(names, ", ") }

// The patterns are what the decoder accepts and what the JSON Schema says.
const (
	durationPattern = `^([0-9]+d([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))*|([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))+)$`
	daysPattern     = `^[1-9][0-9]*d$`
	timePattern     = `^[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2}))?$`
)

func (f field) decodeDuration(to *time.Duration, n *yaml.Node) string {
	text, ok := scalar(n, "!!str")
	value, valid := parseDuration(text)
	word := f.tag.Get("days")
	switch {
	case word != "" && ok && text == word:
		value = 0
	case word != "" && (!ok || !valid || !matches(daysPattern, text)):
		return "must be whole days" + found(n, ok) + ", write 400d, or " + word
	case !ok || !valid:
		return "must be a duration with its unit, 0s or more" + found(n, ok) + ", write 30s, 48h or 7d"
	case float64(value) < f.bound("min"):
		return "must be above 0, write 30s"
	}
	*to = value
	return ""
}

// parseDuration reads Go's durations, with days of 24 hours in front: 7d, 1d12h.
func parseDuration(text string) (time.Duration, bool) {
	if !matches(durationPattern, text) {
		return 0, false
	}
	days, rest, found := strings.Cut(text, "d")
	if !found {
		days, rest = "0", text
	}
	n, err := strconv.ParseInt(days, 10, 32)
	if err != nil {
		return 0, false
	}
	value, err := time.ParseDuration(strconv.FormatInt(24*n, 10) + "h" + rest)
	return value, err == nil
}

func decodeTime(to *time.Time, n *yaml.Node) (complaint string) {
	text, ok := scalar(n, "!!str", "!!timestamp")
	if !ok {
		return "must be a time" + found(n, ok) + ", write 2024-01-01 or 2024-01-01T00:00:00Z"
	}
	*to, complaint = parseTime(text)
	return complaint
}

// parseTime reads an RFC 3339 time, or a date as its midnight in UTC. The result
// is in UTC; the complaint is "" if it is usable.
func parseTime(text string) (at time.Time, complaint string) {
	const example = "write 2024-01-01 or 2024-01-01T00:00:00Z"
	if !matches(timePattern, text) {
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

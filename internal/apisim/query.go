package apisim

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// query is a list request as its parameters give it.
type query struct {
	stream     Stream
	take, skip int
	lower      int64 // first microsecond let in
	upper      int64 // first microsecond kept out
	filter     filter
}

const (
	defaultTake = 50
	maxTake     = 100
	beginning   = -1 << 62
	end         = 1 << 62
)

// knownParameters are the documented ones by route; the violations pages lack
// the last five, which the published client sends all the same.
var knownParameters = map[Stream][]string{
	Alerts:      {"workspaceId", "repoId", "policyId", "from", "to", "skip", "take", "llmType", "llmModel", "host"},
	Violations:  {"workspaceId", "repoId", "policyId", "from", "to", "skip", "take", "llmType", "llmModel", "host", "severity", "block"},
	PolicyStats: {"scope", "id", "window", "timeBucketSize", "ruleId", "apiKeyId"},
}

// unknownParameters are those that mean nothing at the route; policyId in the
// query of a by-policy route is one.
func unknownParameters(target route, values url.Values) (unknown []string) {
	for name := range values {
		if !slices.Contains(knownParameters[target.stream], name) || (name == "policyId" && target.byPolicy) {
			unknown = append(unknown, name)
		}
	}
	slices.Sort(unknown)
	return unknown
}

// parseQuery returns the message of a 400 if a parameter is not as documented.
func parseQuery(target route, values url.Values, m *Semantics) (q query, problem string) {
	q = query{stream: target.stream, take: defaultTake, lower: beginning, upper: end}
	if problem = q.parsePage(values); problem != "" {
		return q, problem
	}
	if problem = q.parseBounds(values, m); problem != "" {
		return q, problem
	}
	q.filter = filter{
		policyID: values.Get("policyId"), repoID: values.Get("repoId"), workspaceID: values.Get("workspaceId"),
		types: several(values["llmType"]), models: several(values["llmModel"]), hosts: several(values["host"]),
	}
	if target.byPolicy {
		q.filter.policyID = target.policyID
	}
	if target.stream == Violations {
		q.filter.severities = several(values["severity"])
		switch block := values.Get("block"); block {
		case "":
		case "true", "false":
			q.filter.block = new(block == "true")
		default:
			return q, "block must be true or false"
		}
	}
	return q, ""
}

func (q *query) parsePage(values url.Values) (problem string) {
	var ok bool
	if text := values.Get("take"); text != "" {
		if q.take, ok = wholeNumber(text); !ok || q.take < 1 {
			return "take must be a positive integer"
		}
	}
	if q.take > maxTake {
		return "take must not be greater than 100"
	}
	if text := values.Get("skip"); text != "" {
		if q.skip, ok = wholeNumber(text); !ok {
			return "skip must be a non-negative integer"
		}
	}
	return ""
}

func wholeNumber(text string) (n int, ok bool) {
	n, err := strconv.Atoi(text)
	return n, err == nil && n >= 0
}

func (q *query) parseBounds(values url.Values, m *Semantics) (problem string) {
	if text := values.Get("from"); text != "" {
		at, ok := parseInstant(text)
		if !ok {
			return "Invalid from date"
		}
		if !m.IgnoreFrom {
			q.lower = m.lower(at)
		}
	}
	if text := values.Get("to"); text != "" {
		at, ok := parseInstant(text)
		if !ok {
			return "Invalid to date"
		}
		if !m.IgnoreTo {
			q.upper = m.upper(at)
		}
	}
	return ""
}

// instantLayouts are the forms of ISO 8601 that are read; without a zone, UTC.
var instantLayouts = []string{
	"2006-01-02T15:04:05.999999999Z07:00", "2006-01-02", "2006-01-02T15:04Z07:00",
	"2006-01-02T15:04:05.999999999", "2006-01-02T15:04",
}

func parseInstant(text string) (micros int64, ok bool) {
	for _, layout := range instantLayouts {
		if at, err := time.Parse(layout, text); err == nil {
			return at.UnixMicro(), true
		}
	}
	return 0, false
}

// several splits comma-separated values, from one parameter or repeated ones.
func several(values []string) (out []string) {
	for _, value := range values {
		for part := range strings.SplitSeq(value, ",") {
			if part = strings.TrimSpace(part); part != "" {
				out = append(out, part)
			}
		}
	}
	return out
}

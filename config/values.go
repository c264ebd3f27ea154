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

// A fault is what is wrong with one value, or with a part of it.
type fault struct {
	// at is where the part is; nil or without a line: where the key is.
	at *yaml.Node
	// part is appended to the key: "[1].ids", or "" for the whole value.
	part    string
	message string
}

func whole(message string) []fault {
	if message == "" {
		return nil
	}
	return []fault{{message: message}}
}

// apply decodes a value into the key's field. What the field may hold follows
// from its type; a value with faults leaves it as it was.
func (k key) apply(c *Config, n *yaml.Node) []fault {
	switch field := k.field(c).(type) {
	case *string:
		return k.text(field, n)
	case *[]string:
		return k.list(field, n)
	case *int:
		return k.integer(field, n)
	case *float64:
		return k.number(field, n)
	case *bool:
		return boolean(field, n)
	case **bool:
		value := new(bool)
		faults := boolean(value, n)
		if len(faults) == 0 {
			*field = value
		}
		return faults
	case *time.Duration:
		return k.duration(field, n)
	case *time.Time:
		return instant(field, n)
	case *[]Scope:
		return scopes(field, n)
	}
	panic("config: no way to read " + k.path) // the table's mistake; a test applies every key
}

func (k key) text(field *string, n *yaml.Node) []fault {
	text, complaint := plain(n)
	if complaint == "" {
		complaint = k.complaint(text)
	}
	if complaint == "" {
		*field = text
	}
	return whole(complaint)
}

// complaint is what is wrong with a text, on its own or in a list.
func (k key) complaint(text string) string {
	switch {
	case text == "" && k.blank:
		return ""
	case text == "":
		return "is empty, write a value"
	case len(k.values) > 0 && !slices.Contains(k.values, text):
		return "must be one of " + strings.Join(k.values, ", ")
	case k.check != nil:
		return k.check(text)
	}
	return ""
}

func (k key) list(field *[]string, n *yaml.Node) []fault {
	items, complaint := sequence(n)
	if complaint != "" {
		return whole(complaint)
	}
	var texts []string
	var faults []fault
	seen := map[string]bool{}
	for i, item := range items {
		text, complaint := plain(item)
		switch {
		case complaint != "":
		case strings.Contains(text, ","):
			complaint = "has a comma, write several values as several items"
		case seen[text]:
			complaint = "is there twice, write it once"
		default:
			complaint = k.complaint(text)
		}
		if complaint != "" {
			faults = append(faults, fault{at: item, part: fmt.Sprintf("[%d]", i), message: complaint})
			continue
		}
		seen[text] = true
		texts = append(texts, text)
	}
	if len(faults) == 0 {
		*field = texts
	}
	return faults
}

func (k key) integer(field *int, n *yaml.Node) []fault {
	text, ok := scalar(n, "!!int")
	value, err := strconv.Atoi(text)
	if !ok || err != nil || float64(value) < k.min || float64(value) > k.max {
		return whole(fmt.Sprintf("must be a whole number from %v to %v%s", k.min, k.max, found(n, ok)))
	}
	*field = value
	return nil
}

func (k key) number(field *float64, n *yaml.Node) []fault {
	text, ok := scalar(n, "!!int", "!!float")
	value, err := strconv.ParseFloat(text, 64)
	if !ok || err != nil || math.IsInf(value, 0) || math.IsNaN(value) || value < k.min {
		return whole(fmt.Sprintf("must be a number, %v or more%s", k.min, found(n, ok)))
	}
	*field = value
	return nil
}

func boolean(field *bool, n *yaml.Node) []fault {
	text, ok := scalar(n, "!!bool")
	switch text = strings.ToLower(text); {
	case ok && text == "true":
		*field = true
	case ok && text == "false":
		*field = false
	default:
		return whole("must be true or false" + found(n, ok))
	}
	return nil
}

func (k key) duration(field *time.Duration, n *yaml.Node) []fault {
	text, ok := scalar(n, "!!str")
	value, valid := parseDuration(text)
	switch {
	case !ok || !valid:
		return whole("must be a duration with its unit, 0s or more" + found(n, ok) + ", write 30s, 48h or 7d")
	case k.positive && value == 0:
		return whole("must be above 0, write 30s")
	}
	*field = value
	return nil
}

func instant(field *time.Time, n *yaml.Node) []fault {
	text, ok := scalar(n, "!!str", "!!timestamp")
	if !ok {
		return whole("must be a time" + found(n, ok) + ", write 2024-01-01 or 2024-01-01T00:00:00Z")
	}
	at, complaint := parseTime(text)
	if complaint == "" {
		*field = at
	}
	return whole(complaint)
}

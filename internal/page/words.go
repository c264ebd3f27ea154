package page

import (
	"strconv"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
)

// iso writes an instant for machines.
func iso(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// capital begins a text with a capital, unless it begins with something quoted.
func capital(s string) string {
	if s != "" && 'a' <= s[0] && s[0] <= 'z' {
		return strings.ToUpper(s[:1]) + s[1:]
	}
	return s
}

// large writes a number that may be too long to be read, exactly below a billion.
func large(n int64) string {
	if n < 1e9 {
		return comma(n)
	}
	value, prefix := humanize.ComputeSI(float64(n))
	return humanize.FtoaWithDigits(value, 1) + " " + map[string]string{"G": "billion", "T": "trillion", "P": "quadrillion", "E": "quintillion"}[prefix]
}

// percent of a part, "" of nothing.
func percent(part, whole int64) string {
	if whole <= 0 {
		return ""
	}
	return strconv.FormatFloat(100*float64(part)/float64(whole), 'f', 1, 64) + "%"
}

// title is a name as a heading.
func title(name string) string {
	if name == "" {
		return "no name"
	}
	return capital(strings.ReplaceAll(name, "_", " "))
}

func comma(n int64) string { return humanize.Comma(n) }

func size(n int64) string { return humanize.IBytes(uint64(max(0, n))) }

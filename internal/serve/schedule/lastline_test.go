package schedule

import (
	"bytes"
	"strings"
	"testing"
)

func TestTheLastLine(t *testing.T) {
	long := strings.Repeat("x", mostLine+5)
	for _, c := range []struct {
		name, want string
		writes     []string
	}{
		{"nothing", "", nil},
		{"one", "a", []string{"a\n"}},
		{"without a line break", "b", []string{"a\n", "b"}},
		{"in pieces", "abc", []string{"first\na", "b", "c\n"}},
		{"several at once", "c", []string{"a\nb\nc\n"}},
		{"the end of one and another", "b", []string{"long", "er\nb\n"}},
		{"the end of one and the beginning of another", "c", []string{"long", "er\nb\nc"}},
		{"empty at the end", "", []string{"a\n\n"}},
		{"one that is too long", long[:mostLine], []string{long[:10], long[10:], "\n"}},
		{"one after that", "short", []string{long, long, "\nshort", "\n"}},
	} {
		var l lastLine
		for _, text := range c.writes {
			if n, err := l.Write([]byte(text)); n != len(text) || err != nil {
				t.Errorf("%s: wrote %d, %v", c.name, n, err)
			}
		}
		if got := l.bytes(); !bytes.Equal(got, []byte(c.want)) {
			t.Errorf("%s: %d bytes %.20q, want %.20q", c.name, len(got), got, c.want)
		}
	}
}

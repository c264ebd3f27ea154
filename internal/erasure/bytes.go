package erasure

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/flashback-sync/flashback-sync/transform"
)

// needle is a text, and how files may have it.
type needle struct {
	Needle
	words    []string
	forms    [][]byte // in lower case where that is ASCII
	found    int64
	embedded bool // a stored text has it as a part of a longer word
}

// leastBytes is how long a text must be to be searched for in the bytes of binary files: a
// shorter one is there by chance.
const leastBytes = 6

func newNeedle(of Needle) *needle {
	n := &needle{Needle: of, words: transform.Words(of.Text)}
	for _, text := range []string{of.Text, strings.ToLower(of.Text), strings.ToUpper(of.Text)} {
		quoted, _ := json.Marshal(text) // with <, > and & escaped
		var plain bytes.Buffer
		encoder := json.NewEncoder(&plain)
		encoder.SetEscapeHTML(false)
		_ = encoder.Encode(text)
		for _, form := range []string{text, unquoted(string(quoted)), unquoted(strings.TrimSpace(plain.String()))} {
			n.add(form)
			n.add(ascii(form))
		}
	}
	return n
}

func unquoted(text string) string { return text[1 : len(text)-1] }

// ascii is a text as JSON writes it that escapes all but ASCII.
func ascii(text string) string {
	var out strings.Builder
	for _, unit := range utf16.Encode([]rune(text)) {
		if unit < utf8.RuneSelf {
			out.WriteByte(byte(unit))
		} else {
			fmt.Fprintf(&out, `\u%04x`, unit)
		}
	}
	return out.String()
}

func (n *needle) add(text string) {
	form := lower([]byte(text))
	for _, known := range n.forms {
		if bytes.Equal(known, form) {
			return
		}
	}
	if len(form) > 0 {
		n.forms = append(n.forms, form)
	}
}

// lower is in lower case what is ASCII.
func lower(text []byte) []byte {
	out := make([]byte, len(text))
	for i, b := range text {
		if 'A' <= b && b <= 'Z' {
			b += 'a' - 'A'
		}
		out[i] = b
	}
	return out
}

// inText reports whether a text has it as words of their own. A text without letters and
// digits is looked for as it is.
func (n *needle) inText(text string) bool {
	if n.Exact {
		return text == n.Text
	}
	if len(n.words) == 0 {
		return strings.Contains(text, n.Text)
	}
	if n.among(transform.Words(text)) || strings.ContainsRune(text, '\\') && n.among(transform.Words(transform.Unescaped(text))) {
		return true
	}
	if strings.Contains(strings.ToLower(text), strings.ToLower(n.Text)) {
		n.embedded = true
	}
	return false
}

func (n *needle) among(words []string) bool {
	for i := range words {
		if i+len(n.words) > len(words) {
			return false
		}
		same := true
		for k, word := range n.words {
			same = same && words[i+k] == word
		}
		if same {
			return true
		}
	}
	return false
}

// fileKind is what a file is by its first bytes.
type fileKind int

const (
	plain fileKind = iota
	duckDB
	parquet
)

// bytes searches the bytes of a file.
func (s *search) bytes(ctx context.Context, path, below string) (kind fileKind, err error) {
	file, err := os.Open(path)
	if err != nil {
		return plain, err
	}
	defer func() { _ = file.Close() }()
	s.proof.Files++
	counts := make([]int64, len(s.needles))
	text := true
	err = s.chunks(ctx, file, func(chunk []byte, fresh int, first bool) {
		if first {
			kind = kindOf(chunk)
			text = kind == plain && bytes.IndexByte(chunk[:min(len(chunk), 8000)], 0) < 0
		}
		for i, n := range s.needles {
			counts[i] += n.count(chunk, fresh, text)
		}
	})
	place := Place{Path: s.shown(below)}
	if kind == plain {
		s.found(place, counts)
		return kind, err
	}
	for i, n := range s.needles {
		if counts[i] > 0 {
			place.Label, place.Count = n.Label, counts[i]
			s.binary = append(s.binary, place)
		}
	}
	return kind, err
}

// kindOf is by how a file begins, in lower case.
func kindOf(begin []byte) fileKind {
	switch {
	case len(begin) >= 12 && string(begin[8:12]) == "duck":
		return duckDB
	case len(begin) >= 4 && string(begin[:4]) == "par1":
		return parquet
	}
	return plain
}

// chunks reads a file in overlapping chunks, in lower case. fresh is where what was not in
// the chunk before begins.
func (s *search) chunks(ctx context.Context, file io.Reader, use func(chunk []byte, fresh int, first bool)) error {
	overlap := 1
	for _, n := range s.needles {
		for _, form := range n.forms {
			overlap = max(overlap, len(form)+1)
		}
	}
	buffer := make([]byte, 1<<20+overlap)
	kept, first := 0, true
	for ctx.Err() == nil {
		read, err := io.ReadFull(file, buffer[kept:])
		s.proof.Bytes += int64(read)
		chunk := lower(buffer[:kept+read])
		if read > 0 {
			use(chunk, kept, first)
			first = false
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return nil
		}
		if err != nil {
			return err
		}
		kept = copy(buffer, buffer[len(buffer)-overlap:])
	}
	return ctx.Err()
}

// count counts where a chunk has it. In a text it must be a word of its own; in binary files
// any bytes may be beside it.
func (n *needle) count(chunk []byte, fresh int, text bool) (count int64) {
	if n.Exact {
		return 0
	}
	for _, form := range n.forms {
		if !text && len(form) < leastBytes {
			continue
		}
		for at := 0; ; {
			i := bytes.Index(chunk[at:], form)
			if i < 0 {
				break
			}
			start, end := at+i, at+i+len(form)
			at = start + 1
			if end > fresh && (!text || len(n.words) == 0 || !letter(chunk, start-1) && !letter(chunk, end)) {
				count++
			}
		}
	}
	return count
}

// letter reports whether there is an ASCII letter or digit.
func letter(chunk []byte, at int) bool {
	if at < 0 || at >= len(chunk) {
		return false
	}
	b := chunk[at]
	return 'a' <= b && b <= 'z' || '0' <= b && b <= '9'
}

package mask

import (
	"bytes"
	"unicode"
	"unicode/utf8"
)

const encodedAt = "%40"

// email returns the address whose @ is at the given place, and whose domain begins at
// domain.
func email(text []byte, at, domain int) span {
	start := local(text, at)
	if start == at || icon(text[domain:]) {
		return span{}
	}
	end := domainEnd(text, domain)
	if end == 0 {
		return span{}
	}
	// What looks like an escaped character in front may be one (\n), or a part of the name.
	for start > 0 && text[start-1] == '\\' {
		start--
	}
	return span{start, end, emailMark}
}

// icon reports whether a domain is none but the scale of an image: icon@2x.png.
func icon(domain []byte) bool {
	return len(domain) > 2 && is(domain[0], numeric) && domain[1] == 'x' && domain[2] == '.'
}

// local returns where the part in front of the @ begins. Scripts without white space end
// where a part in Latin letters begins; otherwise a whole sentence would belong to it.
func local(text []byte, at int) (start int) {
	const firstWithoutSpaces = 0x2E80 // Chinese, Japanese, Korean
	start = at
	for latin := false; start > 0; {
		c := text[start-1]
		if c < utf8.RuneSelf {
			if !is(c, localPart) || c == '%' && bytes.HasPrefix(text[start-1:], []byte(encodedAt)) {
				break
			}
			start, latin = start-1, is(c, word)
			continue
		}
		r, size := utf8.DecodeLastRune(text[:start])
		if !wordRune(r) || latin && r >= firstWithoutSpaces {
			break
		}
		start, latin = start-size, false
	}
	for start < at && (text[start] == '.' || text[start] == '-' || text[start] == '\'') {
		start++
	}
	return start
}

func wordRune(r rune) bool {
	return r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r))
}

// domainEnd returns where the longest domain that begins at i ends, or 0 if none does.
func domainEnd(text []byte, i int) (end int) {
	for labels := 1; ; labels++ {
		next := labelEnd(text, i)
		if next == i || text[i] == '-' {
			return end
		}
		if length := topLevel(text[i:next]); labels > 1 && length > 0 {
			end = i + length
		}
		if next >= len(text) || text[next] != '.' {
			return end
		}
		i = next + 1
	}
}

func labelEnd(text []byte, i int) int {
	for i < len(text) {
		if text[i] < utf8.RuneSelf {
			if !is(text[i], word) && text[i] != '-' {
				break
			}
			i++
			continue
		}
		r, size := utf8.DecodeRune(text[i:])
		if !wordRune(r) {
			break
		}
		i += size
	}
	return i
}

// topLevel returns how much of a label is a top-level domain: letters of one kind, so that
// it ends where text in another script goes on without white space.
func topLevel(label []byte) (length int) {
	if bytes.HasPrefix(label, []byte("xn--")) {
		return len(label)
	}
	if label[0] >= utf8.RuneSelf {
		for length < len(label) && label[length] >= utf8.RuneSelf {
			length++
		}
		return length
	}
	for follows(label, length, alphabetic) {
		length++
	}
	if length < 2 || follows(label, length, numeric) {
		return 0
	}
	return length
}

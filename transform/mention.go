package transform

import (
	"bytes"
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"github.com/flashback-sync/flashback-sync/schema"
)

// mostWords bounds a mention.
const mostWords = 20

// Mention is how a text that has these words is recognised by their hashes; false if there
// are none, or so many that a text is unlikely to repeat them.
func (p *Policy) Mention(of string) (schema.Mention, bool) {
	words := Words(of)
	if len(words) == 0 || len(words) > mostWords {
		return schema.Mention{}, false
	}
	hashes := newHashes(p)
	return schema.Mention{Words: len(words), First: hashes.ofWords(words[:1]), Whole: hashes.ofWords(words)}, true
}

func (h *hashes) ofWords(words []string) string {
	return h.of([]byte("words\x00" + strings.Join(words, " ")))
}

// Mentioned reports of a text whether it mentions what no text has. It is for one goroutine.
func (p *Policy) Mentioned() func(text string) bool {
	m := newMentions(p)
	if m == nil {
		return func(string) bool { return false }
	}
	return func(text string) bool { return m.in([]byte(text)) }
}

// mentions looks for words by their hashes.
type mentions struct {
	hashes *hashes
	first  map[string][]schema.Mention
}

// newMentions is nil if there is nothing to look for.
func newMentions(p *Policy) *mentions {
	if p == nil || len(p.hidden.Mentions) == 0 {
		return nil
	}
	m := &mentions{hashes: newHashes(p), first: map[string][]schema.Mention{}}
	for _, mention := range p.hidden.Mentions {
		m.first[mention.First] = append(m.first[mention.First], mention)
	}
	return m
}

// in reports whether a text mentions one of them, also where it is JSON or quotes JSON.
func (m *mentions) in(text []byte) bool {
	return m.among(Words(string(text))) || bytes.IndexByte(text, '\\') >= 0 && m.among(Words(Unescaped(string(text))))
}

func (m *mentions) among(words []string) bool {
	for i := range words {
		for _, mention := range m.first[m.hashes.ofWords(words[i:i+1])] {
			if i+mention.Words <= len(words) && m.hashes.ofWords(words[i:i+mention.Words]) == mention.Whole {
				return true
			}
		}
	}
	return false
}

// Words are the words of a text in lower case: what is between all that is neither a letter
// nor a digit. jane.doe@example.com has four.
func Words(text string) []string {
	return strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsNumber(r) && !unicode.IsMark(r)
	})
}

var escapes = regexp.MustCompile(`(?s)\\(?:u[0-9a-fA-F]{4}|.)`)

// Unescaped is a text with JSON's escapes replaced, wherever they are.
func Unescaped(text string) string {
	return escapes.ReplaceAllStringFunc(text, func(escape string) string {
		switch escape[1] {
		case 'n', 't', 'r', 'b', 'f':
			return " "
		case 'u':
			code, err := strconv.ParseUint(escape[2:], 16, 32)
			if err != nil {
				return ""
			}
			return string(rune(code))
		}
		return escape[1:]
	})
}

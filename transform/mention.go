package transform

import (
	"bytes"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

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
	return schema.Mention{Words: len(words), First: p.hashWords(words[:1]), Whole: p.hashWords(words)}, true
}

func (p *Policy) hashWords(words []string) string {
	return p.Hash("words\x00" + strings.Join(words, " "))
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
	policy *Policy
	first  map[string][]schema.Mention
	known  map[string]string // hashes of single words
}

// newMentions is nil if there is nothing to look for.
func newMentions(p *Policy) *mentions {
	if p == nil || len(p.hidden.Mentions) == 0 {
		return nil
	}
	m := &mentions{policy: p, first: map[string][]schema.Mention{}, known: map[string]string{}}
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
	for i, word := range words {
		for _, mention := range m.first[m.hash(word)] {
			if i+mention.Words <= len(words) && m.policy.hashWords(words[i:i+mention.Words]) == mention.Whole {
				return true
			}
		}
	}
	return false
}

func (m *mentions) hash(word string) string {
	if known, ok := m.known[word]; ok {
		return known
	}
	if len(m.known) >= cached {
		clear(m.known)
	}
	sum := m.policy.hashWords([]string{word})
	m.known[word] = sum
	return sum
}

// Words are the words of a text in lower case: what is between all that is neither a letter
// nor a digit. jane.doe@example.com has four.
func Words(text string) []string {
	return strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsNumber(r) && !unicode.IsMark(r)
	})
}

// Unescaped is a text with JSON's escapes replaced, wherever they are.
func Unescaped(text string) string {
	out := make([]byte, 0, len(text))
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' || i+1 == len(text) {
			out = append(out, text[i])
			continue
		}
		i++
		switch text[i] {
		case 'n', 't', 'r', 'b', 'f':
			out = append(out, ' ')
		case 'u':
			if i+4 < len(text) {
				if code, err := strconv.ParseUint(text[i+1:i+5], 16, 32); err == nil {
					out = utf8.AppendRune(out, rune(code))
					i += 4
				}
			}
		default:
			out = append(out, text[i])
		}
	}
	return string(out)
}

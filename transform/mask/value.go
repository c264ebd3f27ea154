package mask

import (
	"bytes"
	"slices"
	"strings"
)

// The ends of names whose value is secret, in lower case, without hyphens, underscores
// and full stops.
var (
	passwords = []string{"password", "passwd", "passphrase", "pwd", "passwort", "kennwort"}
	keys      = []string{"secret", "token", "apikey", "accesskey", "secretkey", "privatekey", authorization}
)

const authorization = "authorization"

// leastKey is how many bytes a secret has at least that is no password.
const leastKey = 8

// value returns the secret that follows the : or = at i.
func value(text []byte, i int) span {
	if bytes.HasPrefix(text[i:], []byte("://")) {
		return userinfo(text, i+len("://"))
	}
	name := i
	for name > 0 && i-name < 8 && bytes.IndexByte([]byte(" \t\"'`\\:"), text[name-1]) >= 0 {
		name--
	}
	kind := named(text[:name])
	if kind == "" {
		return span{}
	}
	start, end := valueAt(text, i+1, kind == authorization)
	if !secretValue(text[start:end], kind) {
		return span{}
	}
	return span{start, end, secretMark}
}

// named returns by which of the words a text ends with a name of a secret, or "".
func named(text []byte) string {
	const lastLetters = "denstyDENSTY"
	if len(text) == 0 || strings.IndexByte(lastLetters, text[len(text)-1]) < 0 {
		return ""
	}
	const longest = len(authorization)
	var name [longest]byte
	first := longest
	for i := len(text); first > 0 && precedes(text, i, dotted); i-- {
		if c := text[i-1]; is(c, word) {
			first--
			name[first] = c | 0x20 // lower case; digits stay what they are
		}
	}
	for _, ends := range [][]string{passwords, keys} {
		for _, end := range ends {
			if bytes.HasSuffix(name[first:], []byte(end)) {
				return end
			}
		}
	}
	const short = "pass" // as a whole word: not bypass
	if bytes.HasSuffix(name[first:], []byte(short)) && !precedes(text, len(text)-len(short), word) {
		return short
	}
	return ""
}

// secretValue reports whether a value behind such a word is to be masked: it is long
// enough, and not masked already.
func secretValue(value []byte, word string) bool {
	if slices.Contains(keys, word) && len(value) < leastKey {
		return false
	}
	for len(value) > 0 {
		length := mark(value)
		if length == 0 {
			return true
		}
		value = value[length:]
	}
	return false
}

// mark returns the length of the mark that a text begins with.
func mark(text []byte) int {
	for _, mark := range []string{secretMark, emailMark, phoneMark, cardMark, ibanMark} {
		if bytes.HasPrefix(text, []byte(mark)) {
			return len(mark)
		}
	}
	return 0
}

// valueAt returns where the value that follows at i begins and ends: between quotes, also
// escaped ones, or up to white space and the like. A header has a scheme before its value.
func valueAt(text []byte, i int, header bool) (start, end int) {
	start = i
	quote, escapes := byte(0), 0
skip:
	for ; start < len(text) && start-i < 8 && quote == 0; start++ {
		switch c := text[start]; c {
		case ' ', '\t', '=', '>', ':':
		case '\\':
			escapes++
		case '"', '\'', '`':
			quote = c
		default:
			break skip
		}
	}
	if quote != 0 {
		if end := closing(text, start, quote, escapes); end >= 0 {
			return start, end
		}
	}
	end = valueEnd(text, start)
	if header && follows(text, end+1, credential) && text[end] == ' ' && run(text[:end], start, base64URL) == end {
		end = valueEnd(text, end+1)
	}
	return start, end
}

// closing returns where a quoted value ends, or -1: at a quote that has no more
// backslashes before it than the one that began it.
func closing(text []byte, start int, quote byte, escapes int) int {
	for i := start; ; i++ {
		next := bytes.IndexByte(text[i:], quote)
		if next < 0 {
			return -1
		}
		i += next
		end := i
		for end > start && text[end-1] == '\\' {
			end--
		}
		if i-end <= escapes {
			return end
		}
	}
}

func valueEnd(text []byte, i int) int {
	for ; i < len(text); i++ {
		switch text[i] {
		case ' ', '\t', '\n', '\r', '"', '\'', '`', ';', '&', '<', '>':
			return i
		case ',':
			if i+1 == len(text) || bytes.IndexByte([]byte(" \t\r\n"), text[i+1]) >= 0 {
				return i
			}
		}
	}
	return i
}

// userinfo returns user:password in the URL whose authority begins at i.
func userinfo(text []byte, i int) span {
	end := i + bytes.IndexAny(text[i:], "/?# \t\r\n\"'`<>\\")
	if end < i {
		end = len(text)
	}
	length := bytes.LastIndexByte(text[i:end], '@')
	if length < 0 || bytes.IndexByte(text[i:i+length], ':') < 0 {
		return span{}
	}
	return span{i, i + length, secretMark}
}

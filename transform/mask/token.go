package mask

import (
	"bytes"
	"slices"
)

// families are the tokens that have a prefix which ends in - or _; at least so many
// bytes of the class follow it.
var families = []struct {
	prefixes []string
	class    uint16
	least    int
}{
	{[]string{"ghp_", "gho_", "ghu_", "ghs_", "ghr_", "npm_", "hf_"}, word, 20},
	{[]string{"sk_live_", "sk_test_", "rk_live_", "rk_test_"}, word, 10},
	{[]string{"xoxa-", "xoxb-", "xoxc-", "xoxd-", "xoxe-", "xoxo-", "xoxp-", "xoxr-", "xoxs-", "xapp-"}, base64URL, 10},
	{[]string{"github_pat_"}, base64URL, 20},
	{[]string{"glpat-"}, dotted, 20},
	{[]string{"sk-"}, base64URL, 20},
}

// prefixed returns the token whose prefix ends with the - or _ at i.
func prefixed(text []byte, i int) span {
	if !precedes(text, i, alphabetic) {
		return span{}
	}
	for _, family := range families {
		for _, prefix := range family.prefixes {
			start, body := i+1-len(prefix), i+1
			if start < 0 || string(text[start:body]) != prefix || !boundary(text, start) {
				continue
			}
			// The beginning decides, so that no long run of bytes is read in vain many times.
			beginning := text[body:min(len(text), body+64)]
			length := run(beginning, 0, family.class)
			if length < family.least || prefix == "sk-" && !figures(beginning[:length]) {
				return span{}
			}
			return span{start, tokenEnd(text, body, family.class), secretMark}
		}
	}
	return span{}
}

// tokenEnd is the end of a run, without the full stop of a sentence.
func tokenEnd(text []byte, i int, class uint16) int {
	end := run(text, i, class)
	for end > i && text[end-1] == '.' {
		end--
	}
	return end
}

func figures(text []byte) bool {
	return slices.ContainsFunc(text, func(c byte) bool { return is(c, numeric) })
}

// cloudKey returns the key id of AWS or the API key of Google that begins at i.
func cloudKey(text []byte, i int) span {
	if len(text)-i < 20 || !boundary(text, i) {
		return span{}
	}
	switch string(text[i : i+4]) {
	case "AKIA", "ASIA":
		if end := run(text[:i+20], i, word); end == i+20 && ends(text, end) {
			return span{i, end, secretMark}
		}
	case "AIza":
		if end := run(text, i, base64URL); end >= i+35 {
			return span{i, end, secretMark}
		}
	}
	return span{}
}

// webToken returns the JWT in whose beginning, eyJ, the J is at i.
func webToken(text []byte, i int) span {
	start := i - 2
	// Behind a hyphen or underscore it would be a part of a run that was read before.
	if start < 0 || string(text[start:i]) != "ey" || !boundary(text, start) || start > 0 && (text[start-1] == '-' || text[start-1] == '_') {
		return span{}
	}
	header := run(text, i, base64URL)
	if header-start < 10 || header == len(text) || text[header] != '.' {
		return span{}
	}
	if end := tokenEnd(text, header, dotted); end-header > 8 {
		return span{start, end, secretMark}
	}
	return span{}
}

// bearer returns the word bearer at i and the token that follows it. In prose, other
// words follow: these are shorter, and without digits.
func bearer(text []byte, i int) span {
	const word = "bearer"
	body := i + len(word) + 1
	if body >= len(text) || !bytes.EqualFold(text[i:body-1], []byte(word)) || text[body-1] != ' ' || !boundary(text, i) {
		return span{}
	}
	length := run(text[body:min(len(text), body+64)], 0, credential)
	if length >= 20 || length >= 8 && figures(text[body:body+length]) {
		return span{body, tokenEnd(text, body, credential), secretMark}
	}
	return span{}
}

// privateKey returns the private key, as PEM or PGP write it, that begins with the hyphens
// at i. One whose end is missing reaches to the end of the text.
func privateKey(text []byte, i int) span {
	const begin, dashes, longest = "-----BEGIN ", "-----", 64
	if !bytes.HasPrefix(text[i:], []byte(begin)) {
		return span{}
	}
	label := text[i+len(begin) : min(len(text), i+len(begin)+longest)]
	length := bytes.Index(label, []byte(dashes))
	if length < 0 || !bytes.Contains(label[:length], []byte("PRIVATE KEY")) {
		return span{}
	}
	end := i + len(begin) + length + len(dashes)
	tail := bytes.Index(text[end:], []byte("-----END "))
	if tail < 0 {
		return span{i, len(text), secretMark}
	}
	end += tail + len("-----END ")
	if tail = bytes.Index(text[end:min(len(text), end+longest)], []byte(dashes)); tail < 0 {
		return span{i, len(text), secretMark}
	}
	return span{i, end + tail + len(dashes), secretMark}
}

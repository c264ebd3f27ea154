package mask

import "bytes"

// What takes the place of a token. None contains a byte that any kind of token begins with,
// continues with or is triggered by, nor one that JSON escapes.
const (
	cardMark   = "[card]"
	ibanMark   = "[iban]"
	emailMark  = "[email]"
	phoneMark  = "[phone]"
	secretMark = "[secret]"
)

// Text masks the tokens in a text. It returns the text itself if there are none, and
// never changes the bytes of its argument. Text that is UTF-8 stays UTF-8.
//
// The text is masked until nothing more is found, since a token may hide its neighbour:
// so Text(Text(t)) is Text(t). Each pass leaves fewer bytes outside of marks, and two
// passes nearly always suffice.
func Text(text []byte) []byte {
	masked, _ := mask(text)
	return masked
}

// mask also reports whether it found something.
func mask(text []byte) (masked []byte, found bool) {
	for {
		next := pass(text)
		if next == nil {
			return text, found
		}
		text, found = next, true
	}
}

// pass returns a copy of the text with its tokens masked, or nil if there are none.
func pass(text []byte) (masked []byte) {
	for {
		// The rest begins behind the last token. So the beginning of the rest has to mean
		// the same to every kind of token as the end of a mark before it.
		token := find(text)
		if token.mark == "" {
			break
		}
		if masked == nil {
			masked = make([]byte, 0, len(text)+len(secretMark))
		}
		masked = append(masked, text[:token.start]...)
		masked = append(masked, token.mark...)
		text = text[token.end:]
	}
	if masked == nil {
		return nil
	}
	return append(masked, text...)
}

// span is where a token is, and its mark, which is empty if there is none.
type span struct {
	start, end int
	mark       string
}

// find returns the token that is recognised first. Only bytes that trigger are looked at
// closely: what they belong to may begin before them.
func find(text []byte) span {
	for i := 0; i < len(text); i++ {
		if !is(text[i], triggers) {
			continue
		}
		var token span
		switch c := text[i]; c {
		case '@':
			token = email(text, i, i+1)
		case '%':
			if bytes.HasPrefix(text[i:], []byte(encodedAt)) {
				token = email(text, i, i+len(encodedAt))
			}
		case ':', '=':
			token = value(text, i)
		case '-':
			token = privateKey(text, i)
			if token.mark == "" {
				token = prefixed(text, i)
			}
		case '_':
			token = prefixed(text, i)
		case 'A':
			token = cloudKey(text, i)
		case 'J':
			token = webToken(text, i)
		case 'B', 'b':
			token = bearer(text, i)
		default:
			token = number(text, i)
			i = run(text, i, numeric) - 1
		}
		if token.mark != "" {
			return token
		}
	}
	return span{}
}

// number returns the token to which the digits that begin at i belong.
func number(text []byte, i int) span {
	if !boundary(text, i) {
		return iban(text, i)
	}
	if token := card(text, i); token.mark != "" {
		return token
	}
	return phone(text, i)
}

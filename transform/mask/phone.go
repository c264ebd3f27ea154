package mask

import "bytes"

// mostDigits and mostGroups bound a phone number.
const mostDigits, mostGroups = 17, 8

// digitGroups are what may be a phone number.
type digitGroups struct {
	digits     []byte // of all groups
	sizes      []byte // of each group, as a figure
	separators []byte // between them: a slash, hyphen or full stop if there is one, else a bracket, else a space
	bracket    bool   // around the first group
	listed     bool   // another number is right before, as in a list or a dump
}

// phone returns the longest phone number whose first digit is at i.
func phone(text []byte, i int) span {
	start, size := i, run(text, i, numeric)-i
	plus := i > 0 && text[i-1] == '+'
	if plus {
		start--
	}
	bracket := start > 0 && text[start-1] == '(' && i+size < len(text) && text[i+size] == ')'
	if bracket {
		start--
	}
	if !plus && !bracket && text[i] != '0' && size != 3 && (size != 1 || text[i] != '1') || !beginsPhone(text, start) {
		return span{}
	}
	var digits [mostDigits]byte
	var sizes, separators [mostGroups]byte
	var ends [mostGroups]int
	count, groups := 0, 0
	for {
		end := run(text, i, numeric)
		if count+end-i > mostDigits {
			break
		}
		count += copy(digits[count:], text[i:end])
		sizes[groups], ends[groups] = '0'+byte(end-i), end
		groups++
		separator, length := separatorAt(text, end)
		if separator == 0 || groups == mostGroups || !follows(text, end+length, numeric) {
			break
		}
		separators[groups-1] = separator
		i = end + length
	}
	listed := start > 1 && text[start-1] == ' ' && is(text[start-2], numeric)
	for ; groups > 0; groups-- {
		number := digitGroups{digits[:count], sizes[:groups], separators[:groups-1], bracket, listed}
		if endsPhone(text, ends[groups-1]) && (plus && number.international() || !plus && number.national()) {
			return span{start, ends[groups-1], phoneMark}
		}
		count -= int(sizes[groups-1] - '0')
	}
	return span{}
}

// only reports whether each separator is c.
func (n digitGroups) only(c byte) bool { return len(bytes.Trim(n.separators, string(c))) == 0 }

// fraction reports whether the digits are those of a decimal number, as a coordinate.
func (n digitGroups) fraction() bool { return string(n.separators) == "." }

// international is for what follows a +.
func (n digitGroups) international() bool {
	count := len(n.digits)
	return n.digits[0] != '0' && count <= 15 && !n.fraction() && (count >= 8 || count == 7 && len(n.sizes) > 1)
}

// national is for what has no +.
func (n digitGroups) national() bool {
	if n.digits[0] == '0' {
		return n.zeros() || n.trunk()
	}
	switch string(n.sizes) {
	case "1334": // North America. With spaces only, it could be any numbers
		return n.digits[0] == '1' && !n.only(' ') && !n.only('.')
	case "334":
		return n.digits[0] >= '2' && !n.only(' ')
	case "37":
		return n.digits[0] >= '2' && n.bracket
	case "244", "254": // Brazil
		return n.bracket
	case "344": // China
		return n.digits[0] == '1' && n.digits[1] >= '3' && n.only('-')
	}
	return false
}

// zeros is for 00 and a country code.
func (n digitGroups) zeros() bool {
	count := len(n.digits)
	switch {
	case n.sizes[0] < '2' || count < 3 || n.digits[1] != '0' || n.digits[2] == '0' || n.fraction():
		return false
	case len(n.sizes) == 1:
		return count >= 12 && count <= 15
	}
	pairs := len(bytes.Trim(n.sizes, "2")) == 0 // as in a dump
	return count >= 10 && !pairs
}

// trunk is for one 0 and an area: 030/123456, 06 12 34 56 78. Dates have a similar shape.
func (n digitGroups) trunk() bool {
	if len(n.sizes) < 2 || n.sizes[0] < '2' || n.sizes[0] > '6' || n.digits[1] == '0' || n.fraction() || bytes.IndexByte(n.sizes[1:], '1') >= 0 {
		return false
	}
	count := len(n.digits)
	switch {
	case n.sizes[0] > '2':
		return count >= 9 && count <= 12 || count == 8 && n.separators[0] == '/'
	case string(n.sizes) == "22222":
		return !n.listed && n.only(n.separators[0])
	}
	year := n.sizes[1] == '4' && (bytes.HasPrefix(n.digits[2:], []byte("19")) || bytes.HasPrefix(n.digits[2:], []byte("20")))
	return n.sizes[1] > '2' && !year && (count == 9 || count == 10)
}

// separatorAt returns what separates two groups at i, and its length: a space, a hyphen, a
// slash, a full stop, brackets, and some of these together (") ", " / ").
func separatorAt(text []byte, i int) (separator byte, length int) {
	end := i
	if end < len(text) && text[end] == ')' {
		separator, end = ')', end+1
	}
	if n := space(text, end); n > 0 {
		separator, end = max(separator, ' '), end+n
	}
	if n := dash(text, end); n > 0 {
		separator, end = '-', end+n
	} else if end < len(text) && (text[end] == '/' || text[end] == '.') {
		separator, end = text[end], end+1
	}
	if n := space(text, end); n > 0 {
		separator, end = max(separator, ' '), end+n
	}
	if end < len(text) && text[end] == '(' {
		separator, end = max(separator, ')'), end+1
	}
	return separator, end - i
}

func beginsPhone(text []byte, i int) bool {
	if i == 0 {
		return true
	}
	switch text[i-1] {
	case '_', '/', '#', '$', '+', '*':
		return false
	case '-':
		return !precedes(text, i-1, word)
	case '.', ':':
		return !precedes(text, i-1, numeric)
	}
	return boundary(text, i)
}

func endsPhone(text []byte, i int) bool {
	if i < len(text) {
		switch text[i] {
		case '-', '/':
			return !follows(text, i+1, word)
		case '.', ':':
			return !follows(text, i+1, numeric)
		}
	}
	return ends(text, i)
}

package mask

// group is a group of digits, and what is before it: a slash, hyphen or full stop if
// there is one, else a bracket, else white space.
type group struct {
	start, end int
	separator  byte
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
	listed := start > 1 && text[start-1] == ' ' && is(text[start-2], numeric)
	var array [8]group
	groups := digitGroups(text, i, array[:0])
	for n := len(groups); n > 0; n-- {
		end := groups[n-1].end
		if !endsPhone(text, end) {
			continue
		}
		number := shape{groups: groups[:n], digits: text[i:end], bracket: bracket, listed: listed}
		if plus && number.international() || !plus && number.national() {
			return span{start, end, phoneMark}
		}
	}
	return span{}
}

// digitGroups appends the groups of digits from i on, as many as there is room for.
func digitGroups(text []byte, i int, groups []group) []group {
	separator := byte(0)
	for len(groups) < cap(groups) {
		end := run(text, i, numeric)
		groups = append(groups, group{i, end, separator})
		var length int
		if separator, length = separatorAt(text, end); separator == 0 || !follows(text, end+length, numeric) {
			break
		}
		i = end + length
	}
	return groups
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

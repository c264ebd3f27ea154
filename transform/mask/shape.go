package mask

// shape is what may be a phone number: groups of digits.
type shape struct {
	groups  []group
	digits  []byte // from the first one on, with separators
	bracket bool   // around the first group
	listed  bool   // another number is right before, as in a list or a dump
}

// is reports whether the groups have these sizes.
func (s shape) is(sizes ...int) bool {
	if len(sizes) != len(s.groups) {
		return false
	}
	for i, size := range sizes {
		if s.size(i) != size {
			return false
		}
	}
	return true
}

func (s shape) size(i int) int { return s.groups[i].end - s.groups[i].start }

func (s shape) count() (count int) {
	for i := range s.groups {
		count += s.size(i)
	}
	return count
}

// only reports whether each separator is c.
func (s shape) only(c byte) bool {
	for _, group := range s.groups[1:] {
		if group.separator != c {
			return false
		}
	}
	return true
}

// fraction reports whether the digits are those of a decimal number, as a coordinate.
func (s shape) fraction() bool { return len(s.groups) == 2 && s.only('.') }

// international is for what follows a +.
func (s shape) international() bool {
	count := s.count()
	return s.digits[0] != '0' && count <= 15 && !s.fraction() && (count >= 8 || count == 7 && len(s.groups) > 1)
}

// national is for what has no +.
func (s shape) national() bool {
	if s.digits[0] == '0' {
		return s.zeros() || s.trunk()
	}
	return s.american() || s.brazilian() || s.chinese()
}

// zeros is for 00 and a country code.
func (s shape) zeros() bool {
	if s.size(0) < 2 || s.digits[1] != '0' || s.fraction() {
		return false
	}
	code := 2
	if s.size(0) == 2 && len(s.groups) > 1 {
		code = s.groups[1].start - s.groups[0].start
	}
	if code >= len(s.digits) || s.digits[code] < '1' || s.digits[code] > '9' {
		return false
	}
	count := s.count()
	if len(s.groups) == 1 {
		return count >= 12 && count <= 15
	}
	return count >= 10 && count <= 17 && !s.pairs()
}

// pairs reports whether all groups are pairs of digits, as in a dump.
func (s shape) pairs() bool {
	return s.count() == 2*len(s.groups) && s.least() == 2
}

// least returns the size of the smallest group behind the first one.
func (s shape) least() int {
	least := len(s.digits)
	for i := range s.groups[1:] {
		least = min(least, s.size(i+1))
	}
	return least
}

// trunk is for one 0 and an area: 030/123456, 06 12 34 56 78. Dates have a similar shape.
func (s shape) trunk() bool {
	if len(s.groups) < 2 || s.size(0) < 2 || s.size(0) > 6 || s.digits[1] == '0' || s.fraction() || s.least() < 2 {
		return false
	}
	count := s.count()
	if s.size(0) > 2 {
		return count >= 9 && count <= 12 || count == 8 && s.groups[1].separator == '/'
	}
	if s.is(2, 2, 2, 2, 2) {
		return !s.listed && s.only(s.groups[1].separator)
	}
	return s.size(1) > 2 && !s.year(1) && (count == 9 || count == 10)
}

// year reports whether a group is a year of our time.
func (s shape) year(i int) bool {
	digits := s.digits[s.groups[i].start-s.groups[0].start:]
	return s.size(i) == 4 && (digits[0] == '1' && digits[1] == '9' || digits[0] == '2' && digits[1] == '0')
}

// american is for North America. With spaces only, it could be any three numbers.
func (s shape) american() bool {
	if s.only(' ') {
		return false
	}
	if s.is(1, 3, 3, 4) {
		return s.digits[0] == '1' && !s.only('.')
	}
	return s.digits[0] >= '2' && (s.is(3, 3, 4) || s.bracket && s.is(3, 7))
}

func (s shape) brazilian() bool { return s.bracket && (s.is(2, 4, 4) || s.is(2, 5, 4)) }

func (s shape) chinese() bool {
	return s.is(3, 4, 4) && s.only('-') && s.digits[0] == '1' && s.digits[1] >= '3'
}

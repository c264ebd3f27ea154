package mask

const minCard, maxCard = 13, 19

// card returns the longest card number that begins with the digit at i.
func card(text []byte, i int) span {
	if text[i] < '2' || text[i] == '7' || text[i] > '9' || !beginsCard(text, i) {
		return span{}
	}
	var figures [maxCard]byte
	count, group, end := 0, 0, 0
	for j := i; ; {
		for ; follows(text, j, numeric); j++ {
			if count == maxCard {
				return cardSpan(i, end)
			}
			figures[count] = text[j] - '0'
			count, group = count+1, group+1
		}
		if count >= minCard && endsCard(text, j) && issued(figures[:count]) && luhn(figures[:count]) {
			end = j
		}
		separator := space(text, j) + dash(text, j)
		if group < 3 || separator == 0 || !follows(text, j+separator, numeric) {
			return cardSpan(i, end)
		}
		j, group = j+separator, 0
	}
}

func cardSpan(start, end int) span {
	if end == 0 {
		return span{}
	}
	return span{start, end, cardMark}
}

// beginsCard reports whether the digits at i are no part of an id with hyphens, of a
// fraction or of an identifier.
func beginsCard(text []byte, i int) bool {
	if i == 0 {
		return true
	}
	switch text[i-1] {
	case '_':
		return false
	case '-', '.':
		return !precedes(text, i-1, numeric)
	}
	return true
}

func endsCard(text []byte, i int) bool {
	if i < len(text) && (text[i] == '-' || text[i] == '.') {
		return !follows(text, i+1, numeric)
	}
	return ends(text, i)
}

// issued reports whether cards with these first digits and this length exist.
func issued(figures []byte) bool {
	length := len(figures)
	four := int(figures[0])*1000 + int(figures[1])*100 + int(figures[2])*10 + int(figures[3])
	three, two := four/10, four/100
	switch {
	case figures[0] == 4: // Visa
		return length == 13 || length == 16 || length == 19
	case two == 34, two == 37: // American Express
		return length == 15
	case two >= 51 && two <= 55, four >= 2221 && four <= 2720: // Mastercard
		return length == 16
	case four >= 2200 && four <= 2204: // Mir
		return length >= 16
	case three >= 300 && three <= 305, four == 3095, two == 36, two == 38, two == 39: // Diners Club
		return length >= 14
	case four >= 3528 && four <= 3589: // JCB
		return length >= 16
	case four == 6011, three >= 644 && three <= 649, two == 65: // Discover
		return length >= 16
	case two == 62, two == 81, three == 636: // UnionPay, InterPayment
		return length >= 16
	case two == 60, two == 82, three == 508, four == 9792: // RuPay, Troy
		return length == 16
	case four == 5060, four == 5061: // Verve
		return length >= 16
	case four == 5018, four == 5020, four == 5038, four == 5893, four == 6304, four == 6759, four >= 6761 && four <= 6763: // Maestro
		return true
	}
	return false
}

// luhn verifies the check digit.
func luhn(figures []byte) bool {
	sum := 0
	for i, figure := range figures {
		value := int(figure)
		if (len(figures)-i)%2 == 0 {
			value *= 2
			if value > 9 {
				value -= 9
			}
		}
		sum += value
	}
	return sum%10 == 0
}

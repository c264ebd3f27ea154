package apisim

// Identifiers look like random UUIDs. Sixty-four of their bits are a bijection
// of what they number, which makes them unique without being remembered.

const hexDigits = "0123456789abcdef"

// idWord numbers things of one class (a stream's rows, the users, ...).
func idWord(seed uint64, class uint8, n uint64) uint64 {
	return mix(uint64(class)<<56 ^ n ^ mix(seed+purposeID))
}

// The classes of identifiers.
const (
	classRow    uint8 = 0 // + stream index
	classCustom uint8 = 2 // + stream index
	classEntity uint8 = 4 // + kind of entity
	classTalk   uint8 = 16
)

// appendUUID spells word, filled up with bits derived from it, as a version 4 UUID.
func appendUUID(b []byte, word uint64) []byte {
	filler := mix(word ^ 0xa5a5a5a5a5a5a5a5)
	b = appendHex(b, word>>32, 8)
	b = append(b, '-')
	b = appendHex(b, word>>16, 4)
	b = append(b, '-', '4')
	b = appendHex(b, filler, 3)
	b = append(b, '-', "89ab"[filler>>62])
	b = appendHex(b, filler>>12, 3)
	b = append(b, '-')
	b = appendHex(b, word, 4)
	return appendHex(b, filler>>24, 8)
}

func uuid(word uint64) string { return string(appendUUID(nil, word)) }

func appendHex(b []byte, v uint64, digits int) []byte {
	for shift := 4 * (digits - 1); shift >= 0; shift -= 4 {
		b = append(b, hexDigits[v>>shift&15])
	}
	return b
}

// parseUUID finds the word that appendUUID spelled, if it spelled id.
func parseUUID(id string) (word uint64, ok bool) {
	if len(id) != 36 {
		return 0, false
	}
	for _, part := range []string{id[0:8], id[9:13], id[24:28]} {
		for i := range len(part) {
			digit := hexValue(part[i])
			if digit > 15 {
				return 0, false
			}
			word = word<<4 | digit
		}
	}
	return word, uuid(word) == id
}

func hexValue(c byte) uint64 {
	switch {
	case c >= '0' && c <= '9':
		return uint64(c - '0')
	case c >= 'a' && c <= 'f':
		return uint64(c-'a') + 10
	default:
		return 16
	}
}

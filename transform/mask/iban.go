package mask

import "strings"

// ibanLengths has the countries of the IBAN registry, release 101.
var ibanLengths = func() map[[2]byte]int {
	const registry = "" +
		"AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 " +
		"EE20 EG29 ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 " +
		"IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 " +
		"NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 " +
		"SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30"
	lengths := make(map[[2]byte]int)
	for entry := range strings.FieldsSeq(registry) {
		lengths[[2]byte{entry[0], entry[1]}] = int(entry[2]-'0')*10 + int(entry[3]-'0')
	}
	return lengths
}()

// iban returns the account number whose check digits begin at i.
func iban(text []byte, i int) span {
	start := i - 2
	if start < 0 || !follows(text, i+1, numeric) || !boundary(text, start) || start > 0 && text[start-1] == '_' {
		return span{}
	}
	head := [4]byte{text[start] &^ 0x20, text[start+1] &^ 0x20, text[i], text[i+1]} // upper case
	length := ibanLengths[[2]byte(head[:2])]
	if length == 0 {
		return span{}
	}
	rest, end := 0, i+2
	for count := len(head); count < length; count++ {
		if separator := space(text, end) + dash(text, end); separator > 0 {
			end += separator
		}
		if !follows(text, end, word) {
			return span{}
		}
		rest = remainder(rest, text[end])
		end++
	}
	for _, c := range head {
		rest = remainder(rest, c)
	}
	if rest != 1 || !ends(text, end) {
		return span{}
	}
	return span{start, end, ibanMark}
}

// remainder is that of the division by 97 once c is appended, where A is 10 and Z is 35.
func remainder(rest int, c byte) int {
	if is(c, numeric) {
		return (rest*10 + int(c-'0')) % 97
	}
	return (rest*100 + int(c|0x20-'a') + 10) % 97
}

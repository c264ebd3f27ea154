package mask_test

import (
	"bytes"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/flashback-sync/flashback-sync/transform/mask"
)

// The tokens are made up, and written in parts so that scanners of repositories ignore them.
var (
	alnum36 = strings.Repeat("a1B2c3", 6)
	jwt     = "ey" + "JhbGciOiJIUzI1NiJ9.ey" + "JzdWIiOiIxMjM0In0.c2lnbmF0dXJlLTEy"
	pem     = "-----BEGIN RSA PRIVATE" + " KEY-----\nMIIEow\nabc=\n-----END RSA PRIVATE" + " KEY-----"
)

// masked has texts and what they become.
var masked = map[string]string{
	// Cards.
	"4111111111111111":                        "[card]",
	"card 4111 1111 1111 1111, thanks":        "card [card], thanks",
	"4111-1111-1111-1111 and 378282246310005": "[card] and [card]",
	"3782 822463 10005":                       "[card]",
	"4222222222222":                           "[card]",
	"5555555555554444;2223003122003222":       "[card];[card]",
	"30569309025904 6011111111111117":         "[card] [card]",
	"3530111333300000/6200000000000005":       "[card]/[card]",
	"2200 0000 0000 0053":                     "[card]",
	"4111 1111 1111 1111 123":                 "[card] 123",
	"12 4111 1111 1111 1111 99":               "12 [card] 99",
	"5,4111111111111111,12/27":                "5,[card],12/27",
	"4111\u00a01111\u00a01111\u00a01111":      "[card]",
	`line\n4111111111111111`:                  `line\n[card]`,
	"卡号4111111111111111。":                     "卡号[card]。",
	"Visa-4111111111111111.":                  "Visa-[card].",
	"4111111111111111@shop.example":           "[card]@shop.example",
	// IBANs.
	"DE89370400440532013000":                           "[iban]",
	"IBAN: DE89 3704 0044 0532 0130 00 and BIC":        "IBAN: [iban] and BIC",
	"GB29 NWBK 6016 1331 9268 19.":                     "[iban].",
	"no9386011117947, MT84MALT011000012345MTLCAST001S": "[iban], [iban]",
	"DE89-3704-0044-0532-0130-00":                      "[iban]",
	`\tFR1420041010050500013M02606`:                    `\t[iban]`,
	// Addresses.
	"mail bob@example.com.":               "mail [email].",
	"<Bob.O'Neil+tag@mail.example.co.uk>": "<[email]>",
	"to=a@b.de&x":                         "to=[email]&x",
	"'a@b.de','c@d.de'":                   "'[email]','[email]'",
	"jürgen@müller.de":                    "[email]",
	"张三@例子.中国":                            "[email]",
	"请联系zhang@example.cn谢谢":               "请联系[email]谢谢",
	"почта иван@почта.рф!":                "почта [email]!",
	"a@xn--mller-kva.xn--p1ai":            "[email]",
	"?u=bob%40example.com%20x":            "?u=[email]%20x",
	`Hello\nbob@example.com\r\n`:          `Hello[email]\r\n`,
	"a@b.de@c.de":                         "[email]@c.de",
	"mailto:bob@example.com?subject=x":    "mailto:[email]?subject=x",
	// Phone numbers.
	"+49 30 1234567":                     "[phone]",
	"call +491701234567 now":             "call [phone] now",
	"+1 (555) 123-4567":                  "[phone]",
	"(+49) 30 123456":                    "[phone]",
	"+49 (0)30 / 123 45 67":              "[phone]",
	"tel:+44-20-7946-0958;ext=1":         "tel:[phone];ext=1",
	"00491701234567":                     "[phone]",
	"0049 170 1234567":                   "[phone]",
	"00 49 30 1234567":                   "[phone]",
	"(555) 123-4567":                     "[phone]",
	"(555)123-4567, (555) 1234567":       "[phone], [phone]",
	"555-123-4567 5 times":               "[phone] 5 times",
	"555.123.4567.":                      "[phone].",
	"1-555-123-4567":                     "[phone]",
	"1 (555) 123-4567":                   "[phone]",
	"Tel.030/123456":                     "Tel.[phone]",
	"089/12345":                          "[phone]",
	"(030) 123456":                       "[phone]",
	"0170-1234567 0171 / 123 45 67":      "[phone] [phone]",
	"020 7946 0958":                      "[phone]",
	"07700 900123":                       "[phone]",
	"06 12 34 56 78":                     "[phone]",
	"06.12.34.56.78":                     "[phone]",
	"06 12 34 56 78 06 98 76 54 32":      "[phone] [phone]",
	"06-12345678":                        "[phone]",
	"03-1234-5678":                       "[phone]",
	"(11) 91234-5678":                    "[phone]",
	"138-1234-5678":                      "[phone]",
	"010-1234-5678":                      "[phone]",
	"(555-123-4567)":                     "([phone])",
	"030–123456":                         "[phone]",
	"+49 30 1234567 2024-11-30 10:30:00": "[phone] 2024-11-30 10:30:00",
	"2024-01-01 555-123-4567":            "2024-01-01 [phone]",
	// Keys and tokens.
	"AKIA" + "IOSFODNN7EXAMPLE":                     "[secret]",
	"id=ASIA" + "IOSFODNN7EXAMPLE,":                 "id=[secret],",
	"ghp_" + alnum36 + " gho_" + alnum36:            "[secret] [secret]",
	"(ghs_" + alnum36 + ")":                         "([secret])",
	"github_pat_" + alnum36 + "_" + alnum36:         "[secret]",
	"glpat-" + "aB1-cD2_eF3gH4iJ5kL6.":              "[secret].",
	"xoxb-" + "123456789012-abcdefGHIJ":             "[secret]",
	"sk_live_" + alnum36:                            "[secret]",
	"sk-" + "proj-" + alnum36:                       "[secret]",
	"use sk-" + "ant-api03-" + alnum36 + "-x_y AA":  "use [secret] AA",
	"AIza" + "SyA1234567890abcdefghijklmnopqrstu":   "[secret]",
	"npm_" + alnum36:                                "[secret]",
	"jwt " + jwt + ".":                              "jwt [secret].",
	"before\n" + pem + "\nafter":                    "before\n[secret]\nafter",
	"-----BEGIN PRIVATE" + " KEY-----\nMIIEow cut":  "[secret]",
	"Bearer abcdef0123456789":                       "Bearer [secret]",
	"Authorization: Bearer abc.def-ghi":             "Authorization: [secret]",
	"Authorization: Basic dXNlcjpwYXNz\nHost: x":    "Authorization: [secret]\nHost: x",
	`curl -H "Authorization: Token abcdefgh" x`:     `curl -H "Authorization: [secret]" x`,
	"password=hunter2 user=bob":                     "password=[secret] user=bob",
	"DB_PASSWORD: 'two words'":                      "DB_PASSWORD: '[secret]'",
	"Server=x;Pwd=ab,c}d;Database=y":                "Server=x;Pwd=[secret];Database=y",
	"api_key: abcdefgh1":                            "api_key: [secret]",
	"api-key => 'abcdefgh1'":                        "api-key => '[secret]'",
	`{"apiKey":"abcdefgh1","n":1}`:                  `{"apiKey":"[secret]","n":1}`,
	`{\"password\":\"a b\",\"n\":1}`:                `{\"password\":\"[secret]\",\"n\":1}`,
	`password = "a\"b"`:                             `password = "[secret]"`,
	"?access_token=abcdefgh&x=1":                    "?access_token=[secret]&x=1",
	"aws_secret_access_key = wJalrXUtnFEMI/K7MDENG": "aws_secret_access_key = [secret]",
	"passwort:geheim, kennwort: x":                  "passwort:[secret], kennwort: [secret]",
	"db_pass=x":                                     "db_pass=[secret]",
	"password := \"x\"":                             "password := \"[secret]\"",
	"https://bob:s3cret@example.com/x":              "https://[secret]@example.com/x",
	"postgres://u:p@[::1]:5432/db":                  "postgres://[secret]@[::1]:5432/db",
	// Neighbours.
	"password=[secret]more":                             "password=[secret]",
	"555-123-4567-ghp_" + alnum36:                       "[phone]-[secret]",
	"DE89370400440532013000-bob@x.de":                   "[iban]-[email]",
	"ghp_" + alnum36 + "@x.de":                          "[secret]@x.de",
	"+49 30 1234567, bob@x.de; 4111111111111111 " + jwt: "[phone], [email]; [card] [secret]",
}

// kept has texts in which nothing is to be masked.
var kept = []string{
	"", "a", "@", "a@", "@b.de", "+", "(", "0", "=", "password=", "password=\"\"", "token:", "://@",
	"The assistant answered in 3 steps; 200 tokens were used (max_tokens: 4096).",
	// Ids, and what programs print.
	"1234567890", "1732935600", "1732935600123", "1732935600123456", "1732935600123456789", "20241130102030123",
	"123e4567-e89b-12d3-a456-426614174000", "12345678-1234-1234-1234-123456789012", "01234567-0123-0123-0123-012345678901",
	"4111111111111112", "411111111111111", "id4111111111111111", "4111111111111111x", "x_4111111111111111", "0.4111111111111111",
	"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "507f1f77bcf86cd799439011",
	"sha256:4111aa11", "0x00491701234567", "order 030-12", "#030-123456", "ticket ABC-123-456-7890", "1,234,567.89", "-12345678", "+1.5", "+12345",
	"GET /v1/030/123456/x 200 512 1034 0.123", "00:1B:44:11:3A:B7", "00 1a 2b 3c 4d 5e 6f", "00 12 34 56 78 90", "12 01 02 03 04 05",
	// Dates, times, places, networks, versions.
	"2024-11-30T10:30:00.123456Z", "2024-11-30 10:30:00 +0100", "30.11.2024 10:30", "05.11.2024 12.30", "01/02/2024", "05-11-2024", "11/30/2024 08:15",
	"Tue, 01 Jul 2003 10:52:37 +1000", "2024-11-30T00:00:00+02:00", "05/2024/1234", "03-2024-1234", "+48.8566, -2.3522", "+40.712776",
	"192.168.1.100", "10.0.0.1:8080", "2001:db8::8a2e:370:7334", "120.0.6099.129", "v1.2.3-rc.1", "1.555.123.4567", "10.0.19041.1234",
	"lib@1.2.3", "icon@2x.png", "user@localhost", "root@10.0.0.1", "@app.route", "a @ b.de", "npm i @types/node@20.1.0",
	// Words that look like the beginning of a token.
	"DE89370400440532013001", "DE8937040044053201300", "XX89370400440532013000", "ab12 cd34", "bypass=1", "compass: north", "tokens: 123456789", "tokenizer=cl100k_base",
	"token: 17", "secret: yes", "key=abcdefgh1", "bearer of bad news", "Bearer token", "Authorization: none", "eyJ", "eyJhbGciOiJIUzI1NiJ9", "eyJ.a.b",
	"sk-learn-is-a-long-name-for-something", "task-0123456789abcdef0123456789", "risk-0123456789abcdef0123456789", "AKIA", "AKIAIOSFODNN7EXAMPLE1X", "AIzaShort", "npm_config_cache", "ghp_short",
	"-----BEGIN CERTIFICATE-----\nMIIE\n-----END CERTIFICATE-----", "-----BEGIN PUBLIC KEY-----", "----------",
	"https://example.com:8080/a@b", "ssh://git@host/x", "http://[::1]:80/", "10:30:00", "a:b:c", "x==y",
	"[card] [iban] [email] [phone] [secret]", "password=[secret]", `"token": "[secret]"`, "https://[secret]@example.com",
}

func TestTokensAreMasked(t *testing.T) {
	for text, want := range masked {
		if got := string(mask.Text([]byte(text))); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestOtherTextIsKept(t *testing.T) {
	for _, text := range kept {
		sent := []byte(text)
		if got := mask.Text(sent); string(got) != text {
			t.Errorf("%q became %q", text, got)
		} else if unsafe.SliceData(got) != unsafe.SliceData(sent) {
			t.Errorf("%q was copied", text)
		}
	}
}

// Every pair of texts, in every neighbourhood, obeys the rules of checkText.
func TestPairsOfTexts(t *testing.T) {
	var texts []string
	for text := range masked {
		texts = append(texts, text)
	}
	texts = append(texts, kept...)
	for _, first := range texts {
		for _, second := range texts {
			for _, between := range []string{"", " ", "-", "@"} {
				checkText(t, []byte(first+between+second))
			}
		}
	}
}

// Time grows with the length of a text, whatever it consists of: if it grew with the square,
// the limit would be exceeded many times.
func TestHostileTextsTakeLinearTime(t *testing.T) {
	const size = 1 << 18
	for _, part := range []string{
		"@", "a@", "a@b.", "%40", "a%40b", "1", "1 ", "01 ", "+1 ", "(0", "0-", "eyJ", "eyJaaaaaaa-", "eyJaaaaaaaaa.", "sk-", "sk-a", "glpat-", "xoxb-", "ghp_", "_", "-----BEGIN ", "-----BEGIN PRIVATE" + " KEY-----",
		"password=", `password="`, `password='"`, `password=\"`, `password="\"`, "token=[secret]", "token=", "authorization: ", "://", "://a:", "://a:b@", "Bearer ", "bearera1", "AKIA", "AIza", "DE89", "DE89 ", "4111 ", "4111", "4111-1111-1111-1111-",
		"\\", "é", "é@", "例@", "-1", ".1", "=:", "1@", "[secret]", "x:", "555-123-4567", "a@b.de",
	} {
		text := []byte(strings.Repeat(part, size/len(part)))
		begin := time.Now()
		mask.Text(text)
		if took := time.Since(begin); took > 10*time.Second {
			t.Errorf("%d bytes of %q took %v", len(text), part, took)
		}
	}
}

func TestTextIsNotChangedInPlace(t *testing.T) {
	text := []byte("a bob@example.com b 4111111111111111")
	sent := bytes.Clone(text)
	mask.Text(text)
	if !bytes.Equal(text, sent) {
		t.Errorf("now %q", text)
	}
}

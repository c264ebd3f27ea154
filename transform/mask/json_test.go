package mask_test

import (
	"strings"
	"testing"
	"unsafe"

	"github.com/flashback-sync/flashback-sync/transform/mask"
)

var maskedJSON = []struct{ sent, want string }{
	{`"bob@example.com"`, `"[email]"`},
	{`"bob\u0040example.com \u00e9"`, `"[email] é"`},
	{` { "a" : "x\u0041", "bob@example.com" : [ 4111111111111111 , 1.10 ] } `, ` { "a" : "x\u0041", "[email]" : [ "[card]" , 1.10 ] } `},
	{`{"a@b.de":1,"c@d.de":2,"x":3,"x":4}`, `{"[email]":1,"[email]":2,"x":3,"x":4}`},
	{`4111111111111111`, `"[card]"`},
	{`-4111111111111111`, `"-[card]"`},
	{`{"password":"x","apiKey":"abcdefgh","api_key":"short","token":17,"pwd":1234,"p":"x"}`, `{"password":"[secret]","apiKey":"[secret]","api_key":"short","token":17,"pwd":"[secret]","p":"x"}`},
	{`{"password":["x"],"token":null,"secret":{"x":"abcdefghi"},"pass\u0077ord":"y"}`, `{"password":["x"],"token":null,"secret":{"x":"abcdefghi"},"pass\u0077ord":"[secret]"}`},
	{`"{\"password\":\"x y\",\"n\":1}"`, `"{\"password\":\"[secret]\",\"n\":1}"`},
	{`["password","x"]`, `["password","x"]`},
	{`"a\nbob@x.de\n"`, `"a\n[email]\n"`},
	{`{"password":"[secret]"}`, `{"password":"[secret]"}`},
}

func TestTokensInJSONAreMasked(t *testing.T) {
	for _, value := range maskedJSON {
		if got, err := mask.JSON([]byte(value.sent)); err != nil || string(got) != value.want {
			t.Errorf("%s: %s, %v, want %s", value.sent, got, err, value.want)
		}
	}
}

func TestOtherJSONIsKept(t *testing.T) {
	for _, value := range []string{
		`null`, `true`, `""`, `0`, `-1.5e+10`, ` [ ] `, `{"\u0061" : 1.10, "a":1, "a":2}`, `"\u2028\/"`, `[1e400,12345678901234567890]`, `{"max_tokens":4096}`,
	} {
		sent := []byte(value)
		if got, err := mask.JSON(sent); err != nil || unsafe.SliceData(got) != unsafe.SliceData(sent) || string(got) != value {
			t.Errorf("%s became %s, %v", value, got, err)
		}
	}
}

func TestDeepJSONIsMasked(t *testing.T) {
	const depth = 10_000
	value := strings.Repeat(`{"a":`, depth/2) + strings.Repeat(`[`, depth/2) + `"a@b.de"` + strings.Repeat(`]`, depth/2) + strings.Repeat(`}`, depth/2)
	if got, err := mask.JSON([]byte(value)); err != nil || string(got) != strings.Replace(value, "a@b.de", "[email]", 1) {
		t.Errorf("%.100s, %v", got, err)
	}
}

func TestWhatIsNotJSONIsAnError(t *testing.T) {
	for _, value := range []string{``, ` `, `{`, `"bob@example.com`, `[1,]`, `1 2`, `{"a":1}}`, `{1:2}`, "\"\xff\"", `"\ud800"`, `nul`, strings.Repeat(`[`, 10_001)} {
		got, err := mask.JSON([]byte(value))
		if err == nil || got != nil {
			t.Errorf("%.100s: %s", value, got)
		} else if strings.Contains(err.Error(), "bob") {
			t.Errorf("the error quotes the value: %v", err)
		}
	}
}

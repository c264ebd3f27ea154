package flat_test

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/flashback-sync/flashback-sync/internal/flat"
)

type field struct{ name, value string }

// scan reads a whole text as one flat object.
func scan(t testing.TB, text []byte) (fields []field, ascii, ok bool) {
	t.Helper()
	scanner, ok := flat.Open(text, 0)
	for ok && scanner.More() {
		name, named := scanner.Name()
		value, plain, read := scanner.Value()
		if ok = named && read; ok && plain != (value[0] == '"' && !bytes.Contains(value, []byte(`\`))) {
			t.Fatalf("%q: %q counts as plain: %v", text, value, plain)
		}
		fields = append(fields, field{string(name), string(value)})
	}
	return fields, scanner.ASCII(), ok && scanner.Offset() == len(text)
}

// general reads a whole text by jsontext, as one object of whatever shape.
func general(text []byte, strict bool) (fields []field, err error) {
	d := jsontext.NewDecoder(bytes.NewBuffer(text), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(!strict))
	if token, err := d.ReadToken(); err != nil || token.Kind() != '{' {
		return nil, errors.New("no object")
	}
	for d.PeekKind() == '"' {
		name, err := d.ReadValue()
		if err != nil {
			return nil, err
		}
		named := string(name)
		value, err := d.ReadValue()
		if err != nil {
			return nil, err
		}
		fields = append(fields, field{named, string(value)})
	}
	if _, err := d.ReadToken(); err != nil {
		return nil, err
	}
	if _, err := d.ReadToken(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more text")
	}
	return fields, nil
}

var flatTexts = []string{
	`{"id":"a"}`, `{"a":"","":null,"b":true,"c":false}`, `{"a":0,"b":-1.5e+3,"c":12345678901234567890}`,
	`{"a":"\"\\\/\b\f\n\r\t","b":"1234567\\"}`, `{"a":"\u0041\u00Ff\u0000\uFFFF"}`, `{"name":"Lukas Weiß","a":"` + "\xff" + `"}`,
	`{"a":"1234567","b":"12345678","c":"123456789"}`, "{\"a\":\"\x7f\"}", `{"a":1,"a":2}`,
}

var otherTexts = []string{
	``, `{`, `{}`, `{"a`, `{"a"`, `{"a":`, `{"a":"`, `{"a":"\`, `{"a":1`, `{"a":1,`, `{"a":1,}`, `{"a":1}x`, `{"a":1} `, `[1]`, `"a"`,
	`{"a": 1}`, `{ "a":1}`, `{"a" :1}`, `{"a":1 }`, `{"a":"\ud83d\ude00"}`, `{"a":"\ud800"}`, `{"a":"\u00g1"}`, `{"a":"\u+0a1"}`, `{"a":"\u00`, `{"a":"\x"}`, `{"\n":1}`, `{"a":[]}`, `{"a":{}}`,
	`{"a":01}`, `{"a":1.}`, `{"a":+1}`, `{"a":-}`, `{"a":}`, `{"a":nul}`, `{"a":nullx}`, `{"a":True}`, `{"a":NaN}`, `{a:1}`,
	"{\"a\":\"\x00\"}", "{\"a\":\"12345678\x1f\"}", "{\"a\x00\":1}", "\xef\xbb\xbf{\"a\":1}",
}

func TestFlatObjectsAreRead(t *testing.T) {
	for _, text := range flatTexts {
		want, err := general([]byte(text), false)
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		got, _, ok := scan(t, []byte(text))
		if !ok || len(got) != len(want) {
			t.Errorf("%q: %v %v, want %v", text, ok, got, want)
		}
	}
}

func TestOtherTextIsLeftToOthers(t *testing.T) {
	for _, text := range otherTexts {
		if got, _, ok := scan(t, []byte(text)); ok {
			t.Errorf("%q was read as %q", text, got)
		}
	}
}

func TestIsMovesPastTheNameItIs(t *testing.T) {
	scanner, _ := flat.Open([]byte(`{"id":1,"i":2}`), 0)
	if scanner.Is(`"i":`) || scanner.Is(``) || !scanner.Is(`"id":`) {
		t.Error("the first name")
	}
	if value, plain, ok := scanner.Value(); string(value) != "1" || plain || !ok || !scanner.More() {
		t.Errorf("the first value %q", value)
	}
	if name, ok := scanner.Name(); string(name) != `"i"` || !ok || scanner.Is(`2}....`) {
		t.Errorf("the second name %q", name)
	}
}

// FuzzScanner holds what it reads against jsontext.
func FuzzScanner(f *testing.F) {
	for _, text := range append(flatTexts, otherTexts...) {
		f.Add([]byte(text), 3)
	}
	f.Fuzz(func(t *testing.T, text []byte, before int) {
		got, ascii, ok := scan(t, text)
		if !ok {
			return
		}
		want, err := general(text, utf8.Valid(text))
		if err != nil || len(want) != len(got) {
			t.Fatalf("%q: %q, jsontext reads %q, %v", text, got, want, err)
		}
		for i := range want {
			if got[i] != want[i] {
				t.Fatalf("%q: %q, jsontext reads %q", text, got[i], want[i])
			}
		}
		if ascii && bytes.ContainsFunc(text, func(r rune) bool { return r >= utf8.RuneSelf }) {
			t.Fatalf("%q counts as ASCII", text)
		}
		// What stands around the object changes nothing.
		page := append(bytes.Repeat([]byte("["), before&15), text...)
		scanner, _ := flat.Open(append(page, `,"x"]`...), before&15)
		for scanner.More() {
			scanner.Name()
			if _, _, ok := scanner.Value(); !ok {
				t.Fatalf("%q is not read within a page", text)
			}
		}
		if scanner.Offset() != len(page) {
			t.Fatalf("%q: it ends at %d of %d", text, scanner.Offset(), len(page))
		}
	})
}

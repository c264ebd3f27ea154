package mask_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"testing"
	"unicode/utf8"

	"github.com/flashback-sync/flashback-sync/transform/mask"
)

// checkText checks what holds for every text.
func checkText(t *testing.T, text []byte) {
	t.Helper()
	sent := bytes.Clone(text)
	got := mask.Text(text)
	if !bytes.Equal(text, sent) {
		t.Fatalf("%q was changed", sent)
	}
	if again := mask.Text(got); !bytes.Equal(again, got) {
		t.Fatalf("%q: %q, then %q", text, got, again)
	}
	if repeated := mask.Text(sent); !bytes.Equal(repeated, got) {
		t.Fatalf("%q: %q and %q", text, got, repeated)
	}
	if utf8.Valid(text) && !utf8.Valid(got) {
		t.Fatalf("%q: %q is not UTF-8", text, got)
	}
}

func FuzzText(f *testing.F) {
	for text := range masked {
		f.Add([]byte(text))
	}
	for _, text := range kept {
		f.Add([]byte(text))
	}
	f.Add([]byte("\xff@b.de \xc3 a\xff@b.de\xff"))
	f.Fuzz(checkText)
}

// FuzzJSON compares with another parser: masking values one by one gives the same.
func FuzzJSON(f *testing.F) {
	for text := range masked {
		quoted, _ := json.Marshal(text)
		f.Add(quoted)
		f.Add([]byte(`{"a":` + string(quoted) + `,` + string(quoted) + `:1}`))
	}
	for _, value := range maskedJSON {
		f.Add([]byte(value.sent))
	}
	f.Fuzz(func(t *testing.T, value []byte) {
		sent := bytes.Clone(value)
		got, err := mask.JSON(value)
		if !bytes.Equal(value, sent) {
			t.Fatalf("%q was changed", sent)
		}
		if err != nil {
			return
		}
		if !json.Valid(got) || !utf8.Valid(got) {
			t.Fatalf("%q: %q is not JSON", value, got)
		}
		if again, err := mask.JSON(got); err != nil || !bytes.Equal(again, got) {
			t.Fatalf("%q: %q, then %q, %v", value, got, again, err)
		}
		before, after := scalars(t, value), scalars(t, got)
		if len(before) != len(after) {
			t.Fatalf("%q: %q", value, got)
		}
		for i, text := range before {
			if after[i] != string(mask.Text([]byte(text))) && after[i] != "[secret]" {
				t.Fatalf("%q: %q has %q", value, got, after[i])
			}
		}
	})
}

// scalars returns the texts of all strings, numbers and names, in order.
func scalars(t *testing.T, value []byte) (texts []string) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(value))
	d.UseNumber()
	for d.More() {
		token, err := d.Token()
		if err != nil {
			t.Fatalf("%q: %v", value, err)
		}
		switch v := token.(type) {
		case string:
			texts = append(texts, v)
		case json.Number:
			texts = append(texts, v.String())
		}
	}
	return slices.Clip(texts)
}

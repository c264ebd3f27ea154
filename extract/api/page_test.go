package api

import (
	"bytes"
	"testing"
	"time"

	"github.com/flashback-sync/flashback-sync/checkpoints/instant"
)

func TestParsePage(t *testing.T) {
	page, err := parsePage([]byte(` {"take":2,"alerts":[{"id":"a","timestamp":"2024-01-15T10:30:00.000Z"} , {"timestamp":5,"id":null},"x",[1]],
		"extra":{"alerts":[9]},"total":70,"success":true} `), "alerts")
	if err != nil {
		t.Fatal(err)
	}
	want := []string{`{"id":"a","timestamp":"2024-01-15T10:30:00.000Z"}`, `{"timestamp":5,"id":null}`, `"x"`, `[1]`}
	if page.Total != 70 || len(page.Rows) != len(want) {
		t.Fatalf("total %d, rows %d", page.Total, len(page.Rows))
	}
	for i, r := range page.Rows {
		if string(r.Raw) != want[i] || r.Dated != (i == 0) {
			t.Errorf("row %d: %s %v", i, r.Raw, r.Dated)
		}
	}
	if at := instant.Of(time.Date(2024, 1, 15, 10, 30, 0, 0, time.UTC)); page.Rows[0].ID != `"a"` || page.Rows[0].At != at {
		t.Errorf("row %+v", page.Rows[0])
	}
}

func TestParsePageRefuses(t *testing.T) {
	for _, body := range []string{
		``, `null`, `[]`, `"x"`, `{`, `{}`, `{"alerts":[]}`, `{"total":0}`, `{"alerts":null,"total":0}`, `{"alerts":{},"total":0}`,
		`{"alerts":[],"total":-1}`, `{"alerts":[],"total":"0"}`, `{"alerts":[],"total":1.5}`, `{"alerts":[],"total":99999999999999999999}`,
		`{"success":false,"alerts":[],"total":0}`, `{"success":"false","alerts":[],"total":0}`, `{"success":null,"alerts":[],"total":0}`, `{"alerts":[],"total":0} x`, `{"alerts":[{],"total":0}`, `{"alerts":[{}],"total":1`,
		`{"violations":[],"total":0}`,
	} {
		if page, err := parsePage([]byte(body), "alerts"); err == nil {
			t.Errorf("%s was read as %+v", body, page)
		}
	}
}

func FuzzParsePage(f *testing.F) {
	for _, seed := range []string{
		`{"success":true,"alerts":[{"id":"a","timestamp":"2024-01-15T10:30:00.000Z"},{"id":1}],"total":2,"skip":0,"take":50}`,
		`{"alerts":[{"timesta\u006dp":"\u0032024-01-15"}],"total":0}`, `{"alerts":[],"alerts":[1],"total":1}`, `<html>`, "{\"alerts\":[\"\xff\"],\"total\":1}",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		kept := bytes.Clone(body)
		page, err := parsePage(body, "alerts")
		if err != nil {
			return
		}
		if !bytes.Equal(body, kept) {
			t.Fatal("the body was changed")
		}
		rest := body
		for _, r := range page.Rows {
			place := bytes.Index(rest, r.Raw)
			if len(r.Raw) == 0 || place < 0 {
				t.Fatalf("record %q is not in what is left of the body", r.Raw)
			}
			rest = rest[place+len(r.Raw):]
			_ = r.Identity()
		}
		if page.Total < 0 {
			t.Fatalf("total %d", page.Total)
		}
		page.Oldest()
		page.Newest()
	})
}

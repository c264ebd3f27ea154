package main

import (
	"errors"
	"strings"
	"testing"
)

func TestTheErrorOfAChildIsKept(t *testing.T) {
	var out strings.Builder
	e := &ending{to: &out}
	for _, part := range []string{`{"level":"info"}` + "\nflashback-", "sync: it fai", "led\x1b[2J\n  do this\n", strings.Repeat("x", 1<<20)} {
		if _, err := e.Write([]byte(part)); err != nil {
			t.Fatal(err)
		}
	}
	if got := e.error(); got != "it failed\ufffd[2J" {
		t.Errorf("got %q", got)
	}
	if out.Len() != 1<<20+len("{\"level\":\"info\"}\nflashback-sync: it failed\x1b[2J\n  do this\n") {
		t.Errorf("%d bytes were passed on", out.Len())
	}
	failing := &ending{to: failingWriter{}}
	if _, err := failing.Write([]byte("flashback-sync: x\n")); err == nil || failing.error() != "x" {
		t.Errorf("got %v, %q", err, failing.error())
	}
}

type failingWriter struct{}

func (failingWriter) Write([]byte) (int, error) { return 0, errors.New("full") }

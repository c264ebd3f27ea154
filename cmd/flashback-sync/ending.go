package main

import (
	"bytes"
	"io"
	"strings"
	"sync"

	"github.com/rs/zerolog"
)

// ending passes on what a run's process writes to stderr, and keeps its error and
// hint, which are its last lines.
type ending struct {
	to io.Writer
	// log takes the lines that are not JSON, such as a trace, so that all of what
	// serve writes is. nil, for a person's eyes: they are passed on as they are.
	log *zerolog.Logger

	mu    sync.Mutex
	begun []byte
	last  reported
}

// reported is what a run said when it failed.
type reported struct{ error, hint string }

var (
	ourName = []byte("flashback-sync: ")
	// givenUp is how the Go runtime begins when it ends the process.
	givenUp = []byte("fatal error: ")
)

// mostLine is where a line is cut, in bytes.
const mostLine = 64 << 10

func (e *ending) Write(p []byte) (int, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.begun = append(e.begun, p...)
	var failed error
	for {
		end := bytes.IndexByte(e.begun, '\n')
		if end < 0 && len(e.begun) < mostLine {
			return len(p), failed
		}
		if end < 0 {
			end = len(e.begun) - 1
		}
		if err := e.line(e.begun[:end+1]); err != nil {
			failed = err
		}
		e.begun = e.begun[end+1:]
	}
}

// line takes a line with its line break.
func (e *ending) line(line []byte) error {
	said, ours := bytes.CutPrefix(line, ourName)
	hint := !ours && e.last.error != "" && e.last.hint == "" && bytes.HasPrefix(line, []byte("  "))
	text := clean(strings.TrimSpace(string(said)), 500)
	switch {
	case ours:
		e.last = reported{error: text}
	case hint:
		e.last.hint = text
	case bytes.HasPrefix(line, givenUp):
		e.last = reported{error: text}
	}
	switch {
	case e.log == nil || bytes.HasPrefix(line, []byte("{")):
		_, err := e.to.Write(line)
		return err
	case !ours && !hint && text != "": // the log line of the run's end has the others
		e.log.Error().Msg(text)
	}
	return nil
}

func (e *ending) reported() reported {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.last
}

package serve

import (
	"bytes"
	"io"
	"strings"
	"sync"

	"github.com/rs/zerolog"

	"github.com/flashback-sync/flashback-sync/internal/crash"
	"github.com/flashback-sync/flashback-sync/internal/visible"
)

// stderr passes on what a run writes to its stderr, and remembers its error and
// hint, which are its last lines.
type stderr struct {
	to io.Writer
	// log gets the lines that are not JSON, such as a trace, so that all of serve's
	// output is JSON. nil: they are passed on as they are.
	log *zerolog.Logger

	mu      sync.Mutex
	partial []byte
	last    failure
}

// failure is the error and hint that a run printed.
type failure struct{ error, hint string }

var (
	errorPrefix = []byte("flashback-sync: ")
	// fatalPrefix begins what the Go runtime prints when it ends the process.
	fatalPrefix = []byte("fatal error: ")
)

// maxLine is where a line is cut, in bytes.
const maxLine = 64 << 10

// Write never fails, also where the line cannot be passed on: the run would get a
// broken pipe.
func (e *stderr) Write(p []byte) (int, error) {
	defer crash.Exit() // os/exec calls it in a goroutine of its own
	e.mu.Lock()
	defer e.mu.Unlock()
	e.partial = append(e.partial, p...)
	for {
		end := bytes.IndexByte(e.partial, '\n')
		if end < 0 && len(e.partial) < maxLine {
			return len(p), nil
		}
		if end < 0 {
			end = len(e.partial) - 1
		}
		e.writeLine(e.partial[:end+1])
		e.partial = e.partial[end+1:]
	}
}

// writeLine gets a line with its line break.
func (e *stderr) writeLine(line []byte) {
	rest, isError := bytes.CutPrefix(line, errorPrefix)
	isHint := !isError && e.last.error != "" && e.last.hint == "" && bytes.HasPrefix(line, []byte("  "))
	text := visible.Short(strings.TrimSpace(string(rest)), 500)
	switch {
	case isError, bytes.HasPrefix(line, fatalPrefix):
		e.last = failure{error: text}
	case isHint:
		e.last.hint = text
	}
	switch {
	case e.log == nil || bytes.HasPrefix(line, []byte("{")):
		_, _ = e.to.Write(line)
	case !isError && !isHint && text != "": // these two are logged with the end of the run
		e.log.Error().Msg(text)
	}
}

func (e *stderr) failure() failure {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.last
}

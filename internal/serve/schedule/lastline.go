package schedule

import (
	"bytes"

	"github.com/flashback-sync/flashback-sync/internal/crash"
)

// mostLine bounds the line that is kept, in bytes.
const mostLine = 1 << 20

// lastLine is a writer that keeps the last line written to it, or as much of it as
// it may, and no more than two lines at any time.
type lastLine struct{ whole, begun []byte }

func (l *lastLine) Write(p []byte) (int, error) {
	defer crash.Exit() // os/exec calls it in a goroutine of its own
	n := len(p)
	if end := bytes.LastIndexByte(p, '\n'); end >= 0 {
		start := bytes.LastIndexByte(p[:end], '\n') + 1
		if start > 0 {
			l.begun = l.begun[:0] // another line ended within p
		}
		l.keep(p[start:end])
		l.whole, l.begun = l.begun, l.whole[:0]
		p = p[end+1:]
	}
	l.keep(p)
	return n, nil
}

func (l *lastLine) keep(p []byte) {
	l.begun = append(l.begun, p[:min(len(p), mostLine-len(l.begun))]...)
}

func (l *lastLine) bytes() []byte {
	line := l.whole
	if len(l.begun) > 0 {
		line = l.begun // it lacks its line break
	}
	if len(line) == 0 {
		return nil
	}
	return line
}

package journal

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"time"

	"github.com/flashback-sync/flashback-sync/load/durable"
)

const (
	file     = "state/runs.jsonl"
	lockFile = "state/runs.lock"
)

// Keep is how many of the newest runs have a line of their own. The file is folded
// when it has twice as many.
const Keep = 500

const (
	// mostLine bounds a line, in bytes. Longer ones are not ours: who records a run cuts its texts.
	mostLine = 1 << 20
	// patience is how long another process may take to record its run.
	patience = 10 * time.Second
)

// line is one line of the file: a run, or the totals of those before it.
type line struct {
	Folded *Totals `json:"folded,omitempty"`
	*Run
	// Texts is the form of the run's error texts: see structural.
	Texts int `json:"texts,omitempty"`
}

const (
	// structural texts describe what is wrong with an answer, and never quote it.
	structural = 1
	// removed replaces a text of a former release, which may quote personal data.
	removed = "removed: recorded by a release that quoted answers"
)

// edit changes the error texts of a run; it has none of the totals.
func (l line) edit(change func(text string) string) {
	if l.Run == nil {
		return
	}
	if l.Error != "" {
		l.Error = change(l.Error)
	}
	for name, s := range l.Streams {
		if s.Error != nil {
			s.Error = new(change(*s.Error))
			l.Streams[name] = s
		}
	}
}

// Append records a run. A run whose id is recorded already is left as it is, so that
// two processes that find the same dead run record it once. The folder state must exist.
func Append(dataDir string, run Run) error {
	unlock, err := Lock(context.Background(), dataDir, lockFile, patience)
	if err != nil {
		return fmt.Errorf("lock the journal: %w", err)
	}
	defer unlock()
	if err := record(dataDir, run); err != nil {
		return fmt.Errorf("record the run: %w", err)
	}
	return nil
}

func record(dataDir string, run Run) error {
	path, err := durable.Place(dataDir, file)
	if err != nil {
		return err
	}
	lines, quoting, err := read(path)
	if err != nil {
		return err
	}
	noted := line{Run: &run, Texts: structural}
	if run.RunID != "" && slices.ContainsFunc(lines, func(l line) bool { return l.Run != nil && l.Run.RunID == run.RunID }) {
		return nil
	}
	switch {
	case len(lines) >= 2*Keep:
		return durable.Write(path, encode(fold(append(lines, noted))))
	case quoting:
		return durable.Write(path, encode(append(lines, noted)))
	}
	return add(path, noted)
}

// Read returns what is recorded; nothing, if there is no file. It skips a line that a
// crash cut short, and any other that is not ours.
func Read(dataDir string) (*Journal, error) {
	path, err := durable.Place(dataDir, file)
	if err != nil {
		return nil, err
	}
	lines, _, err := read(path)
	if err != nil {
		return nil, err
	}
	j := &Journal{}
	for _, l := range lines {
		j.Totals.add(l)
		if l.Run != nil {
			j.Runs = append(j.Runs, *l.Run)
		}
	}
	slices.Reverse(j.Runs)
	return j, nil
}

// add writes one line at the end of the file. What a crash left there without its
// line break gets one: otherwise both would be lost.
func add(path string, l line) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o640)
	if err != nil {
		return err
	}
	content := encode([]line{l})
	last := make([]byte, 1)
	if end, err := f.Seek(0, io.SeekEnd); err == nil && end > 0 {
		if _, err := f.ReadAt(last, end-1); err == nil && last[0] != '\n' {
			content = append([]byte{'\n'}, content...)
		}
	}
	_, err = f.Write(content)
	return errors.Join(err, f.Sync(), f.Close())
}

func encode(lines []line) []byte {
	var out bytes.Buffer
	for _, l := range lines {
		content, err := json.Marshal(l)
		if err != nil { // plain values always marshal
			panic(err)
		}
		out.Write(append(content, '\n'))
	}
	return out.Bytes()
}

// fold keeps the newest runs and sums up the rest.
func fold(lines []line) []line {
	totals := &Totals{}
	cut := max(0, len(lines)-Keep)
	for _, l := range lines[:cut] {
		totals.add(l)
	}
	return append([]line{{Folded: totals}}, lines[cut:]...)
}

// read gives the lines without what they quote, and reports whether any quoted. The
// file is bounded by what Append writes, so it is read as a whole.
func read(path string) (lines []line, quoting bool, err error) {
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	for text := range bytes.Lines(content) {
		var l line
		if len(text) <= mostLine && json.Unmarshal(text, &l) == nil && (l.Folded != nil || l.Run != nil) {
			if l.Run != nil && l.Texts < structural {
				l.edit(func(string) string { return removed })
				l.Texts, quoting = structural, true
			}
			lines = append(lines, l)
		}
	}
	return lines, quoting, nil
}

package journal

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/gofrs/flock"

	"github.com/flashback-sync/flashback-sync/internal/durable"
)

const (
	file     = "state/runs.jsonl"
	lockFile = "state/runs.lock"
)

// Keep is how many of the newest runs stand each on a line of its own. The file
// is folded when it holds twice as many.
const Keep = 500

// mostLine bounds a line, in bytes; an error text is one line of it.
const mostLine = 1 << 20

// line is one line of the file: a run, or the totals of those before it.
type line struct {
	Folded *Totals `json:"folded,omitempty"`
	*Run
}

// Append notes a run. A run whose id is noted already is left as it is, so that
// two who find the same dead run note it once. The folder state must exist.
func Append(dataDir string, run Run) error {
	return locked(dataDir, func(path string) error {
		lines, err := read(path)
		if err != nil {
			return err
		}
		if run.RunID != "" && slices.ContainsFunc(lines, func(l line) bool { return l.Run != nil && l.Run.RunID == run.RunID }) {
			return nil
		}
		if len(lines) < 2*Keep {
			return add(path, line{Run: &run})
		}
		return durable.Write(path, encode(fold(append(lines, line{Run: &run}))))
	})
}

// Read returns what is remembered; nothing, if there is no file. A line that a
// crash cut short is passed over.
func Read(dataDir string) (*Journal, error) {
	lines, err := read(filepath.Join(dataDir, filepath.FromSlash(file)))
	if err != nil {
		return nil, err
	}
	j := &Journal{}
	for _, l := range lines {
		if l.Folded != nil {
			j.Totals.addAll(l.Folded)
		} else {
			j.Totals.add(l.Run)
			j.Runs = append(j.Runs, *l.Run)
		}
	}
	slices.Reverse(j.Runs)
	return j, nil
}

// locked runs change while no other process writes the journal.
func locked(dataDir string, change func(path string) error) (err error) {
	lock := flock.New(filepath.Join(dataDir, filepath.FromSlash(lockFile)), flock.SetPermissions(0o640))
	if err := lock.Lock(); err != nil {
		return fmt.Errorf("lock the journal: %w", err)
	}
	defer func() { err = errors.Join(err, lock.Unlock()) }()
	if err := change(filepath.Join(dataDir, filepath.FromSlash(file))); err != nil {
		return fmt.Errorf("note the run: %w", err)
	}
	return nil
}

// add writes one line at the end of the file. What a crash left there without its
// line break gets one, or else both would be lost.
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
		var content []byte
		var err error
		if l.Folded != nil {
			content, err = json.Marshal(map[string]*Totals{"folded": l.Folded})
		} else {
			content, err = json.Marshal(l.Run)
		}
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
		if l.Folded != nil {
			totals.addAll(l.Folded)
		} else {
			totals.add(l.Run)
		}
	}
	return append([]line{{Folded: totals}}, lines[cut:]...)
}

func read(path string) (lines []line, err error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // it was only read
	scanner := bufio.NewScanner(f)
	scanner.Buffer(nil, mostLine)
	for scanner.Scan() {
		var l line
		if json.Unmarshal(scanner.Bytes(), &l) == nil && (l.Folded != nil || l.Run != nil) {
			lines = append(lines, l)
		}
	}
	return lines, scanner.Err()
}

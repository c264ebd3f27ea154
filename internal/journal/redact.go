package journal

import (
	"context"
	"fmt"

	"github.com/flashback-sync/flashback-sync/load/durable"
)

// forgotten replaces a text that named somebody.
const forgotten = "removed: it named somebody who was forgotten"

// Redact removes texts of recorded runs for which mentioned is true.
func Redact(dataDir string, mentioned func(text string) bool) error {
	unlock, err := Lock(context.Background(), dataDir, lockFile, patience)
	if err != nil {
		return fmt.Errorf("lock the journal: %w", err)
	}
	defer unlock()
	path, err := durable.Place(dataDir, file)
	if err != nil {
		return err
	}
	lines, _, err := read(path)
	if err != nil {
		return err
	}
	changed := false
	for _, l := range lines {
		if l.Run == nil {
			continue
		}
		for _, text := range []*string{&l.Run.Error, &l.Run.Hint} {
			if mentioned(*text) {
				*text, changed = forgotten, true
			}
		}
		for name, s := range l.Run.Streams {
			if s.Error != nil && mentioned(*s.Error) {
				s.Error, changed = new(forgotten), true
				l.Run.Streams[name] = s
			}
		}
	}
	if !changed {
		return nil
	}
	return durable.Write(path, encode(lines))
}

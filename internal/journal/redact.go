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
	redacted := func(text string) string {
		if !mentioned(text) {
			return text
		}
		changed = true
		return forgotten
	}
	for _, l := range lines {
		l.edit(redacted)
		if l.Run != nil {
			l.Hint = redacted(l.Hint)
		}
	}
	if !changed {
		return nil
	}
	return durable.Write(path, encode(lines))
}

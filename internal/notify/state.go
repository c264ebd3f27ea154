package notify

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"time"

	"github.com/flashback-sync/flashback-sync/load/durable"
)

const (
	file     = "state/alarms.json"
	lockFile = "state/alarms.lock"
	// patience is how long another process may take to send its alarm.
	patience = time.Minute
	// again is when a failure that lasts is reported again: once a day, also where the
	// run of every night ends a little earlier than the one before.
	again = 23 * time.Hour
)

// state is what is wrong at present. Its maps are never nil. Times are UTC.
type state struct {
	Jobs    wrongs `json:"jobs"`
	Streams wrongs `json:"streams"`
}

// wrongs are the jobs that fail or the streams that are stale, by name.
type wrongs map[string]wrong

type wrong struct {
	Since time.Time `json:"since"`
	// Reported is zero as long as it could not be reported.
	Reported time.Time `json:"told"`
}

// transition is what became of something.
type transition int

const (
	same transition = iota
	began
	lasts // for another day
	over
)

// update records how something is now.
func (w wrongs) update(name string, bad bool, since, now time.Time) (transition, wrong) {
	is, known := w[name]
	if !bad {
		delete(w, name)
		if is.Reported.IsZero() {
			return same, is
		}
		return over, is
	}
	if !known {
		is.Since = since.UTC()
	}
	what := began
	if !is.Reported.IsZero() {
		what = lasts
		if quiet := now.Sub(is.Reported); quiet >= 0 && quiet < again {
			return same, is
		}
	}
	is.Reported = now.UTC()
	w[name] = is
	return what, is
}

// unsent is the state after a message was not accepted: nothing was reported, but
// when it began is remembered.
func (w wrongs) unsent(after wrongs) wrongs {
	out := wrongs{}
	for name, is := range after {
		out[name] = wrong{Since: is.Since}
	}
	maps.Copy(out, w)
	return out
}

// readState returns nothing where there is no file, or one that cannot be read:
// then what is wrong is reported once more.
func readState(dataDir string) state {
	s := state{wrongs{}, wrongs{}}
	path, err := durable.Place(dataDir, file)
	if err != nil {
		return s
	}
	content, err := os.ReadFile(path)
	if err != nil || json.Unmarshal(content, &s) != nil || s.Jobs == nil || s.Streams == nil {
		return state{wrongs{}, wrongs{}}
	}
	return s
}

func writeState(dataDir string, s state) error {
	content, err := json.Marshal(s)
	if err == nil {
		err = durable.Write(filepath.Join(dataDir, filepath.FromSlash(file)), append(content, '\n'))
	}
	if err != nil {
		return fmt.Errorf("record the alarm: %w", err)
	}
	return nil
}

package notify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"

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

var errBusy = errors.New("another process is sending its alarms")

// state is what is wrong at present. Times are UTC.
type state struct {
	Jobs    wrongs `json:"jobs"`
	Streams wrongs `json:"streams"`
}

// wrongs are the jobs that fail or the streams that are stale, by name.
type wrongs map[string]wrong

type wrong struct {
	Since time.Time `json:"since"`
	// Told is when it was reported; zero as long as it could not be.
	Told time.Time `json:"told"`
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
func (w *wrongs) update(name string, bad bool, since, now time.Time) (transition, wrong) {
	is, known := (*w)[name]
	if !bad {
		delete(*w, name)
		if !known || is.Told.IsZero() {
			return same, is // it was never reported
		}
		return over, is
	}
	if !known {
		is.Since = since.UTC()
	}
	what := began
	if !is.Told.IsZero() {
		what = lasts
		if quiet := now.Sub(is.Told); quiet >= 0 && quiet < again {
			return same, is
		}
	}
	is.Told = now.UTC()
	if *w == nil {
		*w = wrongs{}
	}
	(*w)[name] = is
	return what, is
}

func (s state) clone() state {
	return state{Jobs: maps.Clone(s.Jobs), Streams: maps.Clone(s.Streams)}
}

func (s state) equal(other state) bool {
	return maps.Equal(s.Jobs, other.Jobs) && maps.Equal(s.Streams, other.Streams)
}

// unsent is the state after a message was not accepted: nothing was reported, but
// when it began is remembered.
func (s state) unsent(after state) state {
	out := s.clone()
	for _, pair := range []struct {
		mine *wrongs
		new  wrongs
	}{{&out.Jobs, after.Jobs}, {&out.Streams, after.Streams}} {
		for name, is := range pair.new {
			if _, known := (*pair.mine)[name]; known {
				continue
			}
			if *pair.mine == nil {
				*pair.mine = wrongs{}
			}
			(*pair.mine)[name] = wrong{Since: is.Since}
		}
	}
	return out
}

// lock waits until no other process sends alarms.
func lock(ctx context.Context, dataDir string) (unlock func(), err error) {
	path, err := durable.Place(dataDir, lockFile)
	if err != nil {
		return nil, fmt.Errorf("lock the alarms: %w", err)
	}
	l := flock.New(path, flock.SetPermissions(0o640))
	waiting, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	_, err = l.TryLockContext(waiting, 50*time.Millisecond)
	if ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded) {
		err = errBusy
	}
	if err != nil {
		return nil, fmt.Errorf("lock the alarms: %w", err)
	}
	return func() { _ = l.Unlock() }, nil // closing it unlocks, too
}

// readState returns nothing where there is no file, or one that cannot be read:
// then what is wrong is reported once more.
func readState(dataDir string) (s state) {
	path, err := durable.Place(dataDir, file)
	if err != nil {
		return state{}
	}
	content, err := os.ReadFile(path)
	if err != nil || json.Unmarshal(content, &s) != nil {
		return state{}
	}
	return s
}

func writeState(dataDir string, s state) error {
	content, err := json.Marshal(s)
	if err != nil { // plain values always marshal
		panic(err)
	}
	if err := durable.Write(filepath.Join(dataDir, filepath.FromSlash(file)), append(content, '\n')); err != nil {
		return fmt.Errorf("record the alarm: %w", err)
	}
	return nil
}

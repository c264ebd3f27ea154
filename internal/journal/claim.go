package journal

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/gofrs/flock"

	"github.com/flashback-sync/flashback-sync/load/durable"
)

const (
	claimFile = "state/progress.lock"
	// moment is how long a run may take to record its end.
	moment = 2 * time.Second
)

// Claim makes the progress file ours until release is called or the process ends.
// A run unlocks data_dir a little before it has recorded its end: only the owner of
// the claim may take the progress that it finds for that of a run that died.
func Claim(dataDir string) (release func(), err error) {
	path, err := durable.Place(dataDir, claimFile)
	if err != nil {
		return nil, fmt.Errorf("claim the progress: %w", err)
	}
	lock := flock.New(path, flock.SetPermissions(0o640))
	waiting, cancel := context.WithTimeout(context.Background(), moment)
	defer cancel()
	if _, err := lock.TryLockContext(waiting, 5*time.Millisecond); err != nil {
		return nil, fmt.Errorf("claim the progress: %w", err)
	}
	return func() { _ = lock.Unlock() }, nil // closing it unlocks, too
}

// unclaimed keeps runs from claiming the progress until release is called. It is ok if
// no process owns the claim: then what progress there is was left by a run that died.
func unclaimed(dataDir string) (release func(), ok bool) {
	path, err := durable.Place(dataDir, claimFile)
	if err != nil {
		return nil, false
	}
	lock := flock.New(path, flock.SetFlag(os.O_RDONLY)) // it is never made here
	if ok, err = lock.TryRLock(); err != nil || !ok {
		return nil, false
	}
	return func() { _ = lock.Unlock() }, true
}

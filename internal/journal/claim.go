package journal

import (
	"context"
	"errors"
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
	release, err = Lock(context.Background(), dataDir, claimFile, moment)
	if err != nil {
		return nil, fmt.Errorf("claim the progress: %w", err)
	}
	return release, nil
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

// ErrBusy is the error of Lock if another process kept the file locked all the time.
var ErrBusy = errors.New("another process keeps it locked")

// Lock takes a lock file below data_dir, such as state/x.lock. It waits for another
// process no longer than patience: that one may be stopped by a signal or a debugger.
func Lock(ctx context.Context, dataDir, file string, patience time.Duration) (unlock func(), err error) {
	path, err := durable.Place(dataDir, file)
	if err != nil {
		return nil, err
	}
	lock := flock.New(path, flock.SetPermissions(0o640))
	waiting, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	_, err = lock.TryLockContext(waiting, 5*time.Millisecond)
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		err = ErrBusy
	}
	if err != nil {
		return nil, err
	}
	return func() { _ = lock.Unlock() }, nil // closing it unlocks, too
}

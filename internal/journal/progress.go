package journal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"

	"github.com/flashback-sync/flashback-sync/load/durable"
)

const progressFile = "state/progress.json"

// progressLine is the file's content.
type progressLine struct {
	*Progress
	Texts int `json:"texts"`
}

// WriteProgress replaces the progress file.
func WriteProgress(dataDir string, p *Progress) error {
	content, err := json.Marshal(progressLine{p, structural})
	if err != nil {
		return err
	}
	target, err := durable.Place(dataDir, progressFile)
	if err != nil {
		return err
	}
	return durable.Write(target, content)
}

// ReadProgress returns the progress of a run that is under way, or died; nil if
// there is none. See Progress.Alive.
func ReadProgress(dataDir string) (*Progress, error) {
	release, free := unclaimed(dataDir)
	if free {
		defer release()
	}
	p, err := readProgress(dataDir)
	if p != nil {
		p.Died = free
	}
	return p, err
}

func readProgress(dataDir string) (*Progress, error) {
	path, err := durable.Place(dataDir, progressFile)
	if err != nil {
		return nil, err
	}
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil //nolint:nilnil // no run is no error
	}
	if err != nil {
		return nil, err
	}
	l := progressLine{Progress: &Progress{}}
	if err := json.Unmarshal(content, &l); err != nil || l.Progress == nil || l.RunID == "" {
		return nil, nil //nolint:nilerr,nilnil // a power cut leaves an empty file
	}
	if l.Texts < structural {
		l.Message = ""
		for i := range l.Streams {
			l.Streams[i].Error = ""
		}
	}
	return l.Progress, nil
}

// EndProgress removes the progress file.
func EndProgress(dataDir string) error {
	err := os.Remove(filepath.Join(dataDir, filepath.FromSlash(progressFile)))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// AppendCrashed records the run that left a progress file and was killed. Only the owner
// of the claim calls it.
func AppendCrashed(dataDir string) error {
	left, err := ReadProgress(dataDir)
	if err != nil || left == nil {
		return nil //nolint:nilerr // a file that is not a progress file describes no run
	}
	if err := Append(dataDir, left.Crashed()); err != nil {
		return err
	}
	return EndProgress(dataDir)
}

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

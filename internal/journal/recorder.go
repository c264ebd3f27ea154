package journal

import (
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/flashback-sync/flashback-sync/internal/crash"
)

// heartbeat is how often a run writes its progress.
const heartbeat = time.Second

// Recorder records one run: its progress while it goes on, and its line when it ends.
// What it cannot do is given to warn and changes nothing about the run. It is safe for
// concurrent use.
type Recorder struct {
	dataDir string
	warn    func(err error, message string)

	mu       sync.Mutex
	progress Progress
	requests map[string]int64 // by the answer's status
	started  bool
	release  func() // gives up the claim to the progress file; nil if it is not ours
	stop     chan struct{}
	beats    sync.WaitGroup
}

// NewRecorder writes nothing yet.
func NewRecorder(dataDir string, run Run, warn func(err error, message string)) *Recorder {
	return &Recorder{
		dataDir: dataDir, warn: warn, requests: map[string]int64{}, stop: make(chan struct{}),
		progress: Progress{RunID: run.RunID, Command: run.Command, Job: run.Job, PID: run.PID, StartedAt: run.StartedAt},
	}
}

// Start begins to write the progress. It is called while the lock of data_dir is taken:
// whoever left a progress file is dead, and is recorded.
func (r *Recorder) Start() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.started = true
	var err error
	if r.release, err = Claim(r.dataDir); err != nil {
		r.warn(err, "whether an earlier run died cannot be known")
	} else if err := recordCrashed(r.dataDir); err != nil {
		r.warn(err, "a run that died cannot be recorded")
	}
	r.beats.Go(func() {
		defer crash.Exit()
		tick := time.NewTicker(heartbeat)
		defer tick.Stop()
		for {
			r.beat()
			select {
			case <-tick.C:
			case <-r.stop:
				return
			}
		}
	})
}

func (r *Recorder) beat() {
	r.mu.Lock()
	r.progress.UpdatedAt = time.Now().UTC()
	p := r.progress
	p.Streams = slices.Clone(p.Streams)
	r.mu.Unlock()
	_ = WriteProgress(r.dataDir, &p) // the next beat tries again
}

// Sent counts a request by its answer: "200", "429", or "none".
func (r *Recorder) Sent(status string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.requests[status]++
	r.progress.Requests++
}

// Advance changes the progress of a stream.
func (r *Recorder) Advance(stream string, change func(*StreamProgress)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	i := slices.IndexFunc(r.progress.Streams, func(s StreamProgress) bool { return s.Stream == stream })
	if i < 0 {
		i = len(r.progress.Streams)
		r.progress.Streams = append(r.progress.Streams, StreamProgress{Stream: stream})
	}
	change(&r.progress.Streams[i])
}

// Message shows a text beside the progress.
func (r *Recorder) Message(text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.progress.Message = text
}

// End stops writing the progress and appends the run to the journal, with its requests;
// nil leaves the journal as it is.
func (r *Recorder) End(run *Run) {
	close(r.stop)
	r.beats.Wait()
	if run != nil {
		run.Requests = r.requests
		if err := r.append(*run); err != nil {
			r.warn(err, "the run cannot be recorded in the journal")
		}
	}
	if r.release != nil {
		r.release()
	}
}

// append writes the run's line. Without the folder for it nothing was started, either.
func (r *Recorder) append(run Run) error {
	if _, err := os.Stat(filepath.Join(r.dataDir, "state")); err != nil {
		return err
	}
	if err := Append(r.dataDir, run); err != nil {
		return err
	}
	if !r.started {
		return nil
	}
	return EndProgress(r.dataDir)
}

// recordCrashed records the run that left a progress file and was killed.
func recordCrashed(dataDir string) error {
	left, err := ReadProgress(dataDir)
	if err != nil || left == nil {
		return nil //nolint:nilerr // a file that is not a progress file describes no run
	}
	if err := Append(dataDir, left.Crashed()); err != nil {
		return err
	}
	return EndProgress(dataDir)
}

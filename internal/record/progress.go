package record

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/flashback-sync/flashback-sync/extract/api"
	"github.com/flashback-sync/flashback-sync/internal/crash"
	"github.com/flashback-sync/flashback-sync/internal/journal"
	"github.com/flashback-sync/flashback-sync/internal/notify"
	"github.com/flashback-sync/flashback-sync/internal/run"
)

// heartbeat is how often a run writes its progress.
const heartbeat = time.Second

// Observe follows the run.
func (r *Recorder) Observe(e run.Event) {
	switch {
	case r == nil:
	case e.Kind == run.Opened:
		r.start()
	default:
		r.mu.Lock()
		defer r.mu.Unlock()
		r.advance(e)
	}
}

func (r *Recorder) advance(e run.Event) {
	if e.Kind == run.Warned || e.Kind == run.Published {
		r.progress.Message = e.Message
		return
	}
	streams := r.progress.Streams
	i := slices.IndexFunc(streams, func(s journal.StreamProgress) bool { return s.Stream == e.Stream })
	if i < 0 {
		i, streams = len(streams), append(streams, journal.StreamProgress{Stream: e.Stream})
		r.progress.Streams = streams
	}
	if e.Kind == run.Planned {
		return
	}
	s := &streams[i]
	s.Rows, s.Expected, s.Requests = e.Rows, max(e.Expected, s.Expected), max(e.Requests, s.Requests)
	s.Done = e.Kind == run.Finished
	if e.Result != nil && e.Result.Err != nil {
		s.Error = oneLine(e.Result.Err.Error())
	}
}

// Sent counts a request by its answer: "200", "429", or "none".
func (r *Recorder) Sent(attempt api.Attempt) {
	if r == nil {
		return
	}
	answer := "none"
	if attempt.Status != 0 {
		answer = fmt.Sprint(attempt.Status)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.requests[answer]++
	r.progress.Requests++
}

// start begins to write the progress and notifies. It is called while the lock of data_dir
// is taken: whoever left a progress file is dead, and is recorded. A repair starts several
// times.
func (r *Recorder) start() {
	if r.stop != nil {
		return
	}
	var err error
	if r.release, err = journal.Claim(r.options.DataDir); err != nil {
		r.warn(err, "whether an earlier run died cannot be known")
	} else if err := journal.AppendCrashed(r.options.DataDir); err != nil {
		r.warn(err, "a run that died cannot be recorded")
	}
	r.stop = make(chan struct{})
	r.beats.Go(func() {
		defer crash.Exit()
		r.beat()
	})
	ctx, cancel := context.WithTimeout(context.Background(), notify.Timeout)
	r.stopNotifying, r.notified = cancel, r.options.Notifier.Started(ctx, r.run)
}

// beat writes the progress until it is stopped.
func (r *Recorder) beat() {
	tick := time.NewTicker(heartbeat)
	defer tick.Stop()
	for {
		r.mu.Lock()
		r.progress.UpdatedAt = time.Now().UTC()
		now := r.progress
		now.Streams = slices.Clone(now.Streams)
		r.mu.Unlock()
		_ = journal.WriteProgress(r.options.DataDir, &now) // the next beat tries again
		select {
		case <-tick.C:
		case <-r.stop:
			return
		}
	}
}

package notify

import (
	"context"
	"time"

	"github.com/rs/zerolog"

	"github.com/flashback-sync/flashback-sync/internal/crash"
	"github.com/flashback-sync/flashback-sync/internal/journal"
	"github.com/flashback-sync/flashback-sync/internal/status"
)

// Timeout bounds what a run spends on notifying others.
const Timeout = time.Minute

// Notifier reports how runs go: by pings, the webhook, and the file for node_exporter.
// What fails is logged and changes nothing about a run. A nil Notifier reports nothing.
type Notifier struct {
	Alarms *Alarms
	Log    zerolog.Logger
	// WriteMetrics writes the file for node_exporter; nil if there is none.
	WriteMetrics func(*status.Status) error
}

// Started reports that a run begins, in the background; wait returns once it has.
func (n *Notifier) Started(ctx context.Context, run journal.Run) (wait func()) {
	if n == nil {
		return func() {}
	}
	done := make(chan struct{})
	go func() {
		defer crash.Exit()
		defer close(done)
		n.warn(n.Alarms.Started(ctx, run), "the start of the run could not be reported")
	}()
	return func() { <-done }
}

// Ended reports how a run ended, once the journal has it. It calls read for what the
// metrics file shows.
func (n *Notifier) Ended(ctx context.Context, run journal.Run, read func(context.Context) (*status.Status, error)) {
	if n == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	n.warn(n.Alarms.Ended(ctx, run), "the end of the run could not be reported")
	if n.WriteMetrics == nil {
		return
	}
	now, err := read(ctx)
	if err == nil {
		err = n.WriteMetrics(now)
	}
	n.warn(err, "metrics.textfile could not be written")
}

// Check reports streams that became stale, or fresh again.
func (n *Notifier) Check(ctx context.Context, now *status.Status) {
	n.warn(n.Alarms.Look(ctx, now), "stale streams could not be reported")
}

func (n *Notifier) warn(err error, message string) {
	if err != nil {
		n.Log.Warn().Err(err).Msg(message)
	}
}

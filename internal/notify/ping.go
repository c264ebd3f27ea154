package notify

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/flashback-sync/flashback-sync/internal/journal"
)

// ping reports a start, an end ("") or a fail to a healthchecks-style monitor
// (healthchecks.io/docs/http_api). The run's id, a UUID, distinguishes runs that overlap.
func (n *Notifier) ping(ctx context.Context, signal, runID, report string) error {
	address, err := pingAddress(n.options.PingURL, signal, runID)
	if err == nil {
		err = n.sender.send(ctx, address, "text/plain; charset=utf-8", []byte(report))
	}
	if err != nil {
		return fmt.Errorf("ping: %w", err)
	}
	return nil
}

// pingAddress appends to the path and keeps the query.
func pingAddress(base, signal, runID string) (string, error) {
	u, err := url.Parse(base)
	if err != nil {
		return "", errors.New("the URL cannot be used")
	}
	if signal != "" {
		u = u.JoinPath(signal)
	}
	u.RawQuery = strings.TrimPrefix(u.RawQuery+"&rid="+runID, "&")
	return u.String(), nil
}

// report is what a person finds in the monitor: how the run ended, and why. It is shorter
// than the 10,000 bytes that monitors take.
func (n *Notifier) report(run *journal.Run) string {
	var rows, changed int64
	for _, s := range run.Streams {
		rows, changed = rows+s.Inserted, changed+s.Updated
	}
	lines := []string{
		fmt.Sprintf("%s: %s%s, %s after %s", clean(run.Status, mostName), clean(run.Job, mostName), n.on(), exitText(run), run.Took().Round(time.Millisecond)),
		fmt.Sprintf("%d rows new, %d changed, %d requests", rows, changed, run.Sent()),
	}
	for _, text := range []string{run.Error, run.Hint} {
		if text != "" {
			lines = append(lines, clean(text, mostError))
		}
	}
	return strings.Join(lines, "\n") + "\n"
}

func exitText(run *journal.Run) string {
	if run.ExitCode < 0 {
		return "no exit code"
	}
	return fmt.Sprintf("exit code %d", run.ExitCode)
}

// on says where, if that is configured.
func (n *Notifier) on() string {
	if n.options.Host == "" {
		return ""
	}
	return " on " + clean(n.options.Host, mostName)
}

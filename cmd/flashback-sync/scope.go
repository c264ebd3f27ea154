package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/flashback-sync/flashback-sync/checkpoints/instant"
	"github.com/flashback-sync/flashback-sync/internal/exit"
	"github.com/flashback-sync/flashback-sync/internal/run"
	"github.com/flashback-sync/flashback-sync/internal/status"
	"github.com/flashback-sync/flashback-sync/internal/streams"
)

// scopeFlags narrow a command to some streams and a range of time.
type scopeFlags struct {
	streams  []string
	from, to string
}

func (f *scopeFlags) add(flags *pflag.FlagSet, from, to string) {
	flags.StringSliceVar(&f.streams, "stream", nil, "only this `stream`: "+strings.Join(status.StreamNames(), ", ")+" (may be repeated)")
	flags.StringVar(&f.from, "from", "", from)
	flags.StringVar(&f.to, "to", "", to)
}

// checkJob refuses names that the schedule has no such job of: they would become
// labels of metrics, and the outcome of one job would be reported as another's.
func checkJob(job string, names ...string) error {
	if job == "" {
		return nil
	}
	return oneOf("--job", job, names)
}

// job is the job of the schedule that a sync with these flags amounts to: all
// streams, one of them, or "" for what a person narrowed.
func (f *scopeFlags) job() string {
	switch {
	case f.from != "" || f.to != "" || len(f.streams) > 1:
		return ""
	case len(f.streams) == 1:
		return f.streams[0]
	}
	return jobSync
}

// apply narrows the options to what the flags ask for.
func (f *scopeFlags) apply(o *run.Options) error {
	var err error
	if o.From, err = flagTime("--from", f.from); err != nil {
		return err
	}
	if o.To, err = flagTime("--to", f.to); err != nil {
		return err
	}
	if !o.From.IsZero() && !o.To.IsZero() && !o.From.Before(o.To) {
		return exit.Usage(errors.New("--from must be before --to"))
	}
	return f.narrow(o)
}

func (f *scopeFlags) narrow(o *run.Options) error {
	for _, name := range f.streams {
		if err := oneOf("--stream", name, status.StreamNames()); err != nil {
			return err
		}
		if !slices.Contains(o.Configured, name) {
			return exit.Usage(fmt.Errorf("--stream %s: the configuration does not name this stream", name))
		}
	}
	if len(f.streams) == 0 {
		return nil
	}
	o.Lists = slices.DeleteFunc(o.Lists, func(list streams.List) bool { return !slices.Contains(f.streams, list.Name()) })
	if o.Stats != nil && !slices.Contains(f.streams, o.Stats.Stream.Name) {
		o.Stats = nil
	}
	return nil
}

func flagTime(flag, value string) (time.Time, error) {
	if value == "" {
		return time.Time{}, nil
	}
	at, ok := instant.Parse(value)
	if !ok {
		return time.Time{}, exit.Usage(fmt.Errorf("%s %q: not a time, write 2024-01-15 or 2024-01-15T10:30:00Z", flag, value))
	}
	return at.Time(), nil
}

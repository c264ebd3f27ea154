package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/pflag"

	"github.com/flashback-sync/flashback-sync/checkpoints/instant"
	"github.com/flashback-sync/flashback-sync/internal/run"
)

// scopeFlags narrow a command to some streams and a range of time.
type scopeFlags struct {
	streams  []string
	from, to string
}

func (f *scopeFlags) add(flags *pflag.FlagSet, from, to string) {
	flags.StringSliceVar(&f.streams, "stream", nil, "only this `stream`: alerts, violations or policy_stats (may be repeated)")
	flags.StringVar(&f.from, "from", "", from)
	flags.StringVar(&f.to, "to", "", to)
}

// checkJob refuses names that the schedule has no such job of: they would become
// labels of metrics, and the outcome of one job would be told as another's.
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
		return usage(errors.New("--from must be before --to"))
	}
	if len(f.streams) == 0 {
		return nil
	}
	return f.narrow(o)
}

func (f *scopeFlags) narrow(o *run.Options) error {
	configured := map[string]bool{run.PolicyStats: o.Stats != nil}
	for _, list := range o.Lists {
		configured[list.Name()] = true
	}
	wanted := map[string]bool{}
	for _, name := range f.streams {
		if err := oneOf("--stream", name, []string{run.Alerts, run.Violations, run.PolicyStats}); err != nil {
			return err
		}
		if !configured[name] {
			return usage(fmt.Errorf("--stream %s: the configuration does not name this stream", name))
		}
		wanted[name] = true
	}
	kept := o.Lists
	o.Lists = nil
	for _, list := range kept {
		if wanted[list.Name()] {
			o.Lists = append(o.Lists, list)
		}
	}
	if !wanted[run.PolicyStats] {
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
		return time.Time{}, usage(fmt.Errorf("%s %q: not a time, write 2024-01-15 or 2024-01-15T10:30:00Z", flag, value))
	}
	return at.Time(), nil
}

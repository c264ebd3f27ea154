package main

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/flashback-sync/flashback-sync/config"
	"github.com/flashback-sync/flashback-sync/internal/exit"
	"github.com/flashback-sync/flashback-sync/internal/serve/schedule"
	"github.com/flashback-sync/flashback-sync/internal/status"
	"github.com/flashback-sync/flashback-sync/schema"
)

const (
	jobSync   = "sync"
	jobVerify = "verify"
)

// jobs are those of the configuration: sync for the streams without a schedule of their
// own, one for each other stream, and verify.
func (a *app) jobs(c *config.Config) (jobs []schedule.Job, err error) {
	zone, err := time.LoadLocation(c.Schedule.Timezone)
	if err != nil {
		return nil, exit.Usage(fmt.Errorf("schedule.timezone: %w", err))
	}
	add := func(name, expression string, arguments ...string) {
		if expression == "" {
			return
		}
		plan, failure := schedule.Parse(expression, zone)
		if failure != nil {
			err = cmp.Or(err, exit.Usage(fmt.Errorf("schedule.%s: %w", name, failure)))
		}
		jobs = append(jobs, schedule.Job{
			Name: name, Command: arguments[0], Plan: plan, Jitter: c.Schedule.Jitter, Eager: name != jobVerify,
			Arguments: slices.Concat(arguments, []string{"--job", name}, a.globalFlags()),
		})
	}
	var together, alone []string
	for _, stream := range schema.Streams() {
		switch {
		case c.Schedule.Stream(stream.Name) != "":
			alone = append(alone, stream.Name)
		case c.Streams.Synced(stream.Name):
			together = append(together, stream.Name)
		}
	}
	named := []string{jobSync, "--json"}
	if len(alone) > 0 {
		for _, name := range together {
			named = append(named, "--stream", name)
		}
	}
	if len(together) > 0 {
		add(jobSync, c.Schedule.Sync, named...)
	}
	for _, name := range alone {
		add(name, c.Schedule.Stream(name), jobSync, "--json", "--stream", name)
	}
	add(jobVerify, c.Schedule.Verify, jobVerify)
	return jobs, err
}

// globalFlags are those that this process was started with.
func (a *app) globalFlags() (arguments []string) {
	for _, given := range [][2]string{{"--config", a.configPath}, {"--log-level", a.logLevel}, {"--log-format", a.logFormat}} {
		if given[1] != "" {
			arguments = append(arguments, given[0], given[1])
		}
	}
	return arguments
}

// syncJobs names the jobs that run a sync.
func syncJobs() []string { return append([]string{jobSync}, status.StreamNames()...) }

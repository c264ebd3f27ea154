package main

import (
	"fmt"
	"time"

	"github.com/flashback-sync/flashback-sync/config"
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
		return nil, usage(fmt.Errorf("schedule.timezone: %w", err))
	}
	add := func(name, expression string, arguments ...string) error {
		if expression == "" {
			return nil
		}
		plan, err := schedule.Parse(expression, zone)
		if err != nil {
			return usage(fmt.Errorf("schedule.%s: %w", name, err))
		}
		jobs = append(jobs, schedule.Job{
			Name: name, Command: arguments[0], Plan: plan, Jitter: c.Schedule.Jitter, Eager: name != jobVerify,
			Arguments: append(append(arguments, "--job", name), a.globalFlags()...),
		})
		return nil
	}
	synced := streamNames(c)
	var together []string
	for _, name := range synced {
		if c.Schedule.Stream(name) == "" {
			together = append(together, name)
		}
	}
	if len(together) > 0 {
		arguments := []string{jobSync, "--json"}
		for _, name := range together {
			if len(together) < len(synced) {
				arguments = append(arguments, "--stream", name)
			}
		}
		err = add(jobSync, c.Schedule.Sync, arguments...)
	}
	for _, stream := range schema.Streams() {
		if err == nil {
			err = add(stream.Name, c.Schedule.Stream(stream.Name), jobSync, "--json", "--stream", stream.Name)
		}
	}
	if err == nil {
		err = add(jobVerify, c.Schedule.Verify, jobVerify)
	}
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

// streamNames are the streams that are synced.
func streamNames(c *config.Config) (names []string) {
	for _, stream := range schema.Streams() {
		if c.Streams.Synced(stream.Name) {
			names = append(names, stream.Name)
		}
	}
	return names
}

// syncJobs names the jobs that run a sync.
func syncJobs() []string { return append([]string{jobSync}, status.StreamNames()...) }

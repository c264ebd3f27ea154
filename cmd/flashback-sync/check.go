package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dustin/go-humanize/english"
	"github.com/spf13/cobra"

	"github.com/flashback-sync/flashback-sync/config"
	"github.com/flashback-sync/flashback-sync/internal/exit"
	"github.com/flashback-sync/flashback-sync/internal/status"
	"github.com/flashback-sync/flashback-sync/internal/streams"
	"github.com/flashback-sync/flashback-sync/internal/terminal"
	"github.com/flashback-sync/flashback-sync/transform"
)

func (a *app) checkCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "check",
		Short: "Check the configuration, reach the API, try the token",
		Long:  "Checks the configuration, reaches the API with the token, and says what a sync of\neach stream would read, what serve would run, and who would be\nnotified. It writes nothing.",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return a.check(cmd.Context()) },
	}
	a.showAnswersFlag(command.Flags())
	return command
}

func (a *app) check(ctx context.Context) error {
	c, err := a.load()
	if err != nil {
		return err
	}
	privacy, err := a.policy(ctx, c)
	if err != nil {
		return err
	}
	source, err := a.source(c, a.logger(c.Log), 1, nil)
	if err != nil {
		return err
	}
	defer source.Close()
	fmt.Fprintf(a.stdout, "configuration  %s is valid\nsource         %s\nprivacy        %s\n\n", cmp.Or(c.Path, "the environment"), c.API.BaseURL, describePolicy(c, privacy))
	o := options(c, privacy)
	probes, skew := streams.Probed(ctx, o.Lists, o.Stats, source)
	terminal.Probes(a.stdout, probes)
	var failure error
	for _, p := range probes {
		failure = errors.Join(failure, p.Err)
	}
	if skew.Abs() > time.Minute {
		fmt.Fprintf(a.stdout, "\nThis machine's clock is %s off the source's; runs go by the source's clock.\n", skew.Abs().Round(time.Second))
	}
	fmt.Fprintln(a.stdout)
	failure = errors.Join(failure, a.printUnattended(c))
	// Where nothing is published yet, or is being replaced, there is no advice to give.
	if known, err := status.Read(ctx, statusOptions(c, privacy)); err == nil {
		terminal.Lateness(a.stdout, known.Holdings)
	}
	return failure
}

// printUnattended says what runs by itself, who can see it and who is notified. Its
// error names what cannot work.
func (a *app) printUnattended(c *config.Config) error {
	jobs, err := a.jobs(c)
	if err != nil {
		return err
	}
	var plans []string
	for _, job := range jobs {
		next := job.Plan.Next(time.Now())
		plans = append(plans, fmt.Sprintf("%s %s (next %s)", job.Name, job.Plan, terminal.Stamp(&next)))
	}
	fmt.Fprintf(a.stdout, "with 'serve'   %s\n", strings.Join(plans, ", "))
	password, pageErr := pagePassword(a, c.Serve)
	if pageErr == nil {
		guarded := "no password: for this machine only"
		if password != "" {
			guarded = "with a password"
		}
		fmt.Fprintf(a.stdout, "page           %s, %s\n", c.Serve.Listen, guarded)
	}
	ping, pingErr := c.Alarms.PingURL(a.env)
	webhook, webhookErr := c.Alarms.WebhookURL(a.env)
	var notified []string
	for what, configured := range map[string]string{
		"a ping at both ends of every job": ping, "a webhook": webhook, "a textfile for node_exporter": c.Metrics.Textfile,
	} {
		if configured != "" {
			notified = append(notified, what)
		}
	}
	slices.Sort(notified)
	if len(notified) == 0 {
		notified = []string{"nobody; see alarms in the configuration"}
	}
	fmt.Fprintf(a.stdout, "notifies       %s\n", strings.Join(notified, ", "))
	return exit.Usage(errors.Join(pageErr, pingErr, webhookErr))
}

// describePolicy says what is not stored as the source sends it.
func describePolicy(c *config.Config, privacy *transform.Policy) string {
	treated := c.Privacy.Treatments()
	if len(treated) == 0 {
		return "everything is stored as the source sends it"
	}
	text := fmt.Sprintf("%s not stored as the source sends them", english.Plural(len(treated), "column is", "columns are"))
	if privacy.HasKey() {
		text += ", key " + privacy.KeyID()
	}
	return text
}

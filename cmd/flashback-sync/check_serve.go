package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/flashback-sync/flashback-sync/config"
)

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
		plans = append(plans, fmt.Sprintf("%s %s (next %s)", job.Name, job.Plan, stamp(&next)))
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
	for _, one := range []struct {
		name string
		on   bool
	}{
		{"a ping at both ends of every job", ping != ""},
		{"a webhook", webhook != ""},
		{"a textfile for node_exporter", c.Metrics.Textfile != ""},
	} {
		if one.on {
			notified = append(notified, one.name)
		}
	}
	if len(notified) == 0 {
		notified = []string{"nobody; see alarms in the configuration"}
	}
	fmt.Fprintf(a.stdout, "notifies       %s\n", strings.Join(notified, ", "))
	return usage(errors.Join(pageErr, pingErr, webhookErr))
}

package main

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/flashback-sync/flashback-sync/internal/exit"
	"github.com/flashback-sync/flashback-sync/internal/hook"
)

// afterPublishing runs the commands of publish.after. The files are published and the lock is
// released: nothing waits for them. They get the lake, data_dir and the run's id in variables,
// our stderr for what they print, and none of our secrets.
func (t *task) afterPublishing(ctx context.Context) error {
	dir, err := filepath.Abs(t.options.DataDir)
	if err != nil {
		return err
	}
	environ := append(t.withoutSecrets(os.Environ()), "FLASHBACK_LAKE="+filepath.Join(dir, "lake"), "FLASHBACK_DATA_DIR="+dir, "FLASHBACK_RUN_ID="+t.options.RunID)
	err = hook.Run(ctx, t.config.Publish.After, environ, t.app.stderr, func(err error) {
		t.log.Error().Err(err).Msg("a command after publishing failed; the files are published")
	})
	if err == nil || ctx.Err() != nil {
		return err
	}
	return exit.WithHint(err, "the files are published and the run is complete; look at what the command printed, and run it again by hand")
}

// withoutSecrets leaves out the variables that hold our secrets.
func (t *task) withoutSecrets(environ []string) []string {
	c := t.config
	secret := []string{c.API.TokenEnv, c.Privacy.KeyEnv, c.Serve.PasswordEnv, c.Alarms.PingURLEnv, c.Alarms.WebhookURLEnv}
	return slices.DeleteFunc(environ, func(entry string) bool {
		name, _, _ := strings.Cut(entry, "=")
		return slices.Contains(secret, name)
	})
}

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/flashback-sync/flashback-sync/internal/exit"
)

// afterTimeout bounds one command of publish.after.
const afterTimeout = time.Hour

// afterPublishing runs the commands of publish.after one after the other, also when one
// fails. The files are published and the lock is released: nothing waits for them. They get
// the lake, data_dir and the run's id in variables, our stderr for what they print, and none
// of our secrets.
func (t *task) afterPublishing(ctx context.Context) error {
	dir, err := filepath.Abs(t.options.DataDir)
	if err != nil {
		return err
	}
	environ := append(t.withoutSecrets(os.Environ()), "FLASHBACK_LAKE="+filepath.Join(dir, "lake"), "FLASHBACK_DATA_DIR="+dir, "FLASHBACK_RUN_ID="+t.options.RunID)
	var failure error
	for i, line := range t.config.Publish.After {
		err := t.shell(ctx, line, environ)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			err = fmt.Errorf("publish.after: command %d: %w", i+1, err)
			t.log.Error().Err(err).Msg("a command after publishing failed; the files are published")
			failure = errors.Join(failure, err)
		}
	}
	if failure == nil {
		return nil
	}
	return exit.WithHint(failure, "the files are published and the run is complete; look at what the command printed, and run it again by hand")
}

func (t *task) shell(ctx context.Context, line string, environ []string) error {
	ctx, cancel := context.WithTimeout(ctx, afterTimeout)
	defer cancel()
	shell := exec.CommandContext(ctx, "sh", "-c", line) //nolint:gosec // the owner of the configuration wrote it to be run
	shell.Env, shell.Stdout, shell.Stderr = environ, t.app.stderr, t.app.stderr
	shell.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	shell.Cancel = func() error { return syscall.Kill(-shell.Process.Pid, syscall.SIGTERM) } // what it started ends, too
	shell.WaitDelay = 10 * time.Second
	err := shell.Run()
	var ended *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("it ran longer than %v", afterTimeout)
	case errors.As(err, &ended):
		return fmt.Errorf("it ended with %v", ended.ProcessState)
	}
	return err
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

package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/flashback-sync/flashback-sync/internal/exit"
	"github.com/flashback-sync/flashback-sync/internal/run"
	"github.com/flashback-sync/flashback-sync/internal/terminal"
)

// erasedDays is what `forget --before --json` prints.
type erasedDays struct {
	Before time.Time        `json:"before"`
	Rows   map[string]int64 `json:"rows"` // dated before it, by table
	Left   map[string]int64 `json:"left"` // afterwards; null if nothing was erased
}

// forgetBefore erases every row before a day.
func (a *app) forgetBefore(ctx context.Context, f forgetFlags) error {
	if f.user != "" || f.conversation != "" || f.report != "" {
		return exit.Usage(errors.New("--before goes with --yes and --json only"))
	}
	at, err := flagTime("--before", f.before)
	if err != nil {
		return err
	}
	if at = at.UTC().Truncate(24 * time.Hour); at.After(time.Now()) {
		return exit.Usage(fmt.Errorf("--before: %s has not begun", at.Format(time.DateOnly)))
	}
	t, err := a.task(ctx, &scopeFlags{}, "")
	if err != nil {
		return err
	}
	defer t.source.Close()
	done := erasedDays{Before: at}
	if done.Rows, err = run.CountBefore(ctx, t.options, at); err != nil {
		return err
	}
	if f.yes {
		err = t.recorded(ctx, "forget", func() (err error) {
			done.Left, err = run.EraseBefore(ctx, t.options, at)
			return err
		})
	}
	if f.json {
		a.printJSON(done)
	} else {
		terminal.ErasedDays(a.stdout, at, done.Rows, f.yes && err == nil)
	}
	return err
}

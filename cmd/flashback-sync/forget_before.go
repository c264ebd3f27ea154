package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/flashback-sync/flashback-sync/internal/run"
	"github.com/flashback-sync/flashback-sync/internal/terminal"
	"github.com/flashback-sync/flashback-sync/schema"
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
		return usage(errors.New("--before goes with --yes and --json only"))
	}
	at, err := flagTime("--before", f.before)
	if err != nil {
		return err
	}
	if at = at.UTC().Truncate(24 * time.Hour); at.After(time.Now()) {
		return usage(fmt.Errorf("--before: %s has not begun", at.Format(time.DateOnly)))
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
		before := map[string]time.Time{}
		for _, s := range schema.Streams() {
			before[s.Name] = at
		}
		err = t.recorded(ctx, "forget", func() error {
			if _, err := run.Expire(ctx, t.options, before); err != nil {
				return err
			}
			var err error
			if done.Left, err = run.CountBefore(ctx, t.options, at); err != nil {
				return err
			}
			for table, n := range done.Left {
				if n > 0 {
					return fmt.Errorf("%w: %d rows of %s", errLeft, n, table)
				}
			}
			return nil
		})
	}
	if f.json {
		a.printJSON(done)
	} else {
		terminal.ErasedDays(a.stdout, at, done.Rows, f.yes && err == nil)
	}
	return err
}

package main

import (
	"context"

	"github.com/flashback-sync/flashback-sync/internal/journal"
)

// outbox tells those outside how a run goes.
type outbox struct{}

func (outbox) started(journal.Run) (wait func())  { return func() {} }
func (outbox) ended(context.Context, journal.Run) {}

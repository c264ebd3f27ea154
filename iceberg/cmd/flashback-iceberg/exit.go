package main

import (
	"context"
	"errors"

	"github.com/flashback-sync/flashback-sync/iceberg/catalogs"
	"github.com/flashback-sync/flashback-sync/iceberg/lake"
	"github.com/flashback-sync/flashback-sync/iceberg/push"
)

// usageError is a mistake in arguments or configuration.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func usage(err error) error {
	if err == nil {
		return nil
	}
	return usageError{err}
}

var (
	// errDifference means that verify found one.
	errDifference = errors.New("the tables differ from the lake")
	// errLeft means that forget could not remove everything.
	errLeft = errors.New("something that may have erased rows is left")
)

// failures are the kinds of errors, the first that applies: the exit code, the same as
// flashback-sync's where both have a case, and what to do. 1 is a bug.
var failures = []struct {
	is   func(error) bool
	code int
	hint string
}{
	{as[usageError], 2, ""},
	{as[catalogs.UsageError], 2, ""},
	{is(errDifference), 9, ""},
	{is(errLeft), 3, "a file that another program has written may become part of a commit: run forget again in a day; a reference: remove that branch or tag"},
	{catalogs.Unauthorized, 4, "check the credentials of the catalog and of the storage: they may have expired, or lack a permission; push again, nothing is lost"},
	{is(push.ErrOlder), 5, "push from the machine that has synced last; if this lake was made anew, push --rebuilt-lake"},
	{is(lake.ErrChanged), 5, "a run of flashback-sync is publishing, or the lake is damaged: push again, and if that does not help run 'flashback-sync repair'"},
	{as[lake.Error], 5, "check --lake; 'flashback-sync verify' checks the lake itself"},
	{func(error) bool { return true }, 6, "check the catalog and the storage, then push again: it finds out what is committed and goes on from there"},
}

func is(target error) func(error) bool {
	return func(err error) bool { return errors.Is(err, target) }
}

func as[T error](err error) bool {
	_, found := errors.AsType[T](err)
	return found
}

// failure is the exit code and the hint for an error.
func failure(ctx context.Context, err error) (code int, hint string) {
	if stop, stopped := errors.AsType[stopped](context.Cause(ctx)); stopped {
		return stop.code(), ""
	}
	for _, f := range failures {
		if f.is(err) {
			return f.code, f.hint
		}
	}
	return 1, ""
}

package main

import (
	"context"
	"errors"

	"github.com/flashback-sync/flashback-sync/iceberg/catalogs"
	"github.com/flashback-sync/flashback-sync/iceberg/lake"
	"github.com/flashback-sync/flashback-sync/iceberg/push"
)

// Exit codes, the same as flashback-sync's where both have a case.
const (
	codeOK           = 0
	codeOther        = 1 // a bug
	codeUsage        = 2
	codePartial      = 3 // something that may have erased rows is left
	codeUnauthorized = 4 // the catalog or the storage refused the credentials
	codeLake         = 5 // the lake cannot be read, breaks its contract, or is older than the tables
	codeStorage      = 6 // the catalog or the storage failed
	codeDifference   = 9
)

func exitCode(ctx context.Context, err error) int {
	var (
		stop   stopped
		misuse usageError
		broken lake.Error
	)
	switch {
	case err == nil:
		return codeOK
	case errors.As(context.Cause(ctx), &stop):
		return stop.code()
	case errors.As(err, &misuse):
		return codeUsage
	case errors.Is(err, errDifference):
		return codeDifference
	case errors.Is(err, errLeft):
		return codePartial
	case catalogs.Unauthorized(err):
		return codeUnauthorized
	case errors.As(err, &broken), errors.Is(err, push.ErrOlder):
		return codeLake
	}
	return codeStorage
}

func hintFor(err error) string {
	var broken lake.Error
	switch {
	case errors.Is(err, push.ErrOlder):
		return "push from the machine that has synced last; if this lake was made anew, push --rebuilt-lake"
	case errors.Is(err, errLeft):
		return "a file that another program has written may become part of a commit: run forget again in a day; a reference: remove that branch or tag"
	case errors.Is(err, lake.ErrChanged):
		return "a run of flashback-sync is publishing, or the lake is damaged: push again, and if that does not help run 'flashback-sync repair'"
	case errors.As(err, &broken):
		return "check --lake; 'flashback-sync verify' checks the lake itself"
	case catalogs.Unauthorized(err):
		return "check the credentials of the catalog and of the storage: they may have expired, or lack a permission; push again, nothing is lost"
	}
	var misuse usageError
	if err == nil || errors.As(err, &misuse) || errors.Is(err, errDifference) {
		return ""
	}
	return "check the catalog and the storage, then push again: it finds out what is committed and goes on from there"
}

package main

import (
	"strings"
	"testing"

	"github.com/flashback-sync/flashback-sync/load"
)

// To rebuild a newer release's warehouse would throw away what only it knows.
func TestOnlyADamagedFileIsToBeRebuilt(t *testing.T) {
	rebuild := func(err error) bool { return strings.Contains(hintFor(err), "repair --rebuild") }
	if damaged := (&load.DamagedError{Path: "x", Reason: "flipped"}); !rebuild(damaged) || !rebuild(&load.StorageError{Doing: "read", Err: damaged}) {
		t.Error("no way out of damage is named")
	}
	if rebuild(&load.DamagedError{Path: "x", Reason: "newer", Newer: true}) || rebuild(&load.StorageError{Doing: "write"}) {
		t.Error("a rebuild is suggested for a file that is well")
	}
}

//go:build !unix

package main

import (
	"os"
	"time"
)

// usage is what a process used. Here the peak of its memory is not known.
type usage struct {
	cpu time.Duration
	rss int64
}

func ownUsage() usage { return usage{} }

func usageOf(state *os.ProcessState) usage {
	return usage{cpu: state.UserTime() + state.SystemTime()}
}

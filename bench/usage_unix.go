//go:build unix

package main

import (
	"os"
	"runtime"
	"syscall"
	"time"
)

// usage is what a process used.
type usage struct {
	cpu time.Duration // user and system
	rss int64         // peak of resident memory, in bytes
}

func ownUsage() usage {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		return usage{}
	}
	return usageFrom(&r)
}

// usageOf is that of a process that has ended.
func usageOf(state *os.ProcessState) usage {
	r, ok := state.SysUsage().(*syscall.Rusage)
	if !ok {
		return usage{}
	}
	return usageFrom(r)
}

func usageFrom(r *syscall.Rusage) usage {
	unit := int64(1024)
	if runtime.GOOS == "darwin" {
		unit = 1
	}
	return usage{
		cpu: time.Duration(syscall.TimevalToNsec(r.Utime) + syscall.TimevalToNsec(r.Stime)),
		rss: int64(r.Maxrss) * unit, //nolint:unconvert // 32 bits on some systems
	}
}

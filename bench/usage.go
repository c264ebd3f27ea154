package main

import (
	"os"
	"runtime"
	"syscall"
	"time"
)

// cpuUsed is what this process has used so far, user and system.
func cpuUsed() time.Duration {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		return 0
	}
	return time.Duration(syscall.TimevalToNsec(r.Utime) + syscall.TimevalToNsec(r.Stime))
}

// peakResident is the most memory that an ended process ever had resident.
func peakResident(ended *os.ProcessState) int64 {
	usage, ok := ended.SysUsage().(*syscall.Rusage)
	switch {
	case !ok:
		return 0
	case runtime.GOOS == "darwin":
		return int64(usage.Maxrss) //nolint:unconvert // 32 bits on some systems
	}
	return int64(usage.Maxrss) * 1024 //nolint:unconvert // 32 bits on some systems
}

//go:build !unix

package main

import "time"

// Here neither is known while a process runs.
func cpuUsed() time.Duration { return 0 }

func peakResident() int64 { return 0 }

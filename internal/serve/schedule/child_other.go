//go:build !unix

package schedule

import (
	"os"
	"os/exec"
)

func ownGroup(*exec.Cmd) {}

// stop kills: there is no signal to stop cleanly. What was committed is kept.
func stop(child *os.Process) error { return child.Kill() }

func killGroup(int) {}

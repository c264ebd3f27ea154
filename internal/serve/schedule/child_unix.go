//go:build unix

package schedule

import (
	"os"
	"os/exec"
	"syscall"
)

func ownGroup(command *exec.Cmd) { command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// stop lets the child stop cleanly. What it has started is its own business
// until it has ended.
func stop(child *os.Process) error { return child.Signal(syscall.SIGTERM) }

// killGroup kills what a child that has ended left behind. If there is nothing, its
// number is free, and not yet given out again: numbers are given out in turn.
func killGroup(leader int) { _ = syscall.Kill(-leader, syscall.SIGKILL) }

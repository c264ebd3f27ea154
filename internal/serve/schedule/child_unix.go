//go:build unix

package schedule

import (
	"os/exec"
	"syscall"
)

// separate gives a child a process group of its own, and lets it stop cleanly. What it
// has started is its own business until it has ended.
func separate(command *exec.Cmd) {
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	command.Cancel = func() error { return command.Process.Signal(syscall.SIGTERM) }
}

// killGroup kills what a child that has ended left behind. If there is nothing, its
// number is free, and not yet given out again: numbers are given out in turn.
func killGroup(leader int) { _ = syscall.Kill(-leader, syscall.SIGKILL) }

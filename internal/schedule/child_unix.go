//go:build unix

package schedule

import (
	"os"
	"os/exec"
	"syscall"
)

func ownGroup(command *exec.Cmd) { command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// tellToStop lets the child stop cleanly. What it has started is its own affair
// until it has ended.
func tellToStop(child *os.Process) error { return child.Signal(syscall.SIGTERM) }

// killGroup kills what a child that has ended left behind. The number of a group
// is not given away while anything is in it; if nothing is, nothing is killed.
func killGroup(leader int) { _ = syscall.Kill(-leader, syscall.SIGKILL) }

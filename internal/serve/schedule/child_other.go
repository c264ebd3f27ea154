//go:build !unix

package schedule

import "os/exec"

// separate leaves a child as it is. There is no signal to stop it cleanly, so it is
// killed: what was committed is kept.
func separate(*exec.Cmd) {}

func killGroup(int) {}

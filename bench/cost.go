package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// cost is what something took.
type cost struct {
	Wall, CPU time.Duration
	Peak      int64 // resident bytes; 0 where it is not known
}

func (c cost) plus(o cost) cost {
	return cost{c.Wall + o.Wall, c.CPU + o.CPU, max(c.Peak, o.Peak)}
}

// least takes each figure from whichever was less: nothing but a disturbance makes
// a run slower than it can be.
func (c cost) least(o cost) cost {
	return cost{min(c.Wall, o.Wall), min(c.CPU, o.CPU), min(c.Peak, o.Peak)}
}

// leastCost is the least of each figure.
func leastCost(costs []cost) cost {
	least := costs[0]
	for _, c := range costs {
		least = least.least(c)
	}
	return least
}

// time adds what a function takes.
func (c *cost) time(do func() error) error {
	began, used := time.Now(), cpuUsed()
	err := do()
	*c = c.plus(cost{Wall: time.Since(began), CPU: cpuUsed() - used})
	return err
}

// again prepares to start this program once more, in another role.
func again(ctx context.Context, role string, spec any) (*exec.Cmd, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	encoded, err := json.Marshal(spec)
	if err != nil {
		return nil, err
	}
	process := exec.CommandContext(ctx, self, "-role", role, string(encoded)) //nolint:gosec // this very program
	process.Stderr = os.Stderr
	return process, nil
}

// run runs a process to its end. Its peak memory counts from this program's own,
// which is small.
func run(process *exec.Cmd) (output []byte, took cost, err error) {
	var stdout bytes.Buffer
	process.Stdout = &stdout
	began := time.Now()
	err = process.Run()
	took.Wall = time.Since(began)
	if state := process.ProcessState; state != nil {
		took.CPU, took.Peak = state.UserTime()+state.SystemTime(), peakResident(state)
	}
	return stdout.Bytes(), took, err
}

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

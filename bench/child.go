package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"
)

// role is what this program can be when it starts itself again: each side of a
// comparison has a process of its own, so that what it used is measured alone.
type role func(ctx context.Context, spec []byte, stdin io.Reader, stdout io.Writer) error

func roles() map[string]role {
	return map[string]role{
		"serve":  serve,
		"read":   task(readPages),
		"insert": task(insertRows),
	}
}

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

// task makes a role of a function that reads one JSON value and writes one.
func task[Spec, Answer any](do func(context.Context, Spec) (Answer, error)) role {
	return func(ctx context.Context, specJSON []byte, _ io.Reader, stdout io.Writer) error {
		var spec Spec
		if err := json.Unmarshal(specJSON, &spec); err != nil {
			return err
		}
		answer, err := do(ctx, spec)
		if err != nil {
			return err
		}
		return json.NewEncoder(stdout).Encode(answer)
	}
}

// again prepares to start this program once more, in another role.
func again(ctx context.Context, name string, spec any) (*exec.Cmd, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	encoded, err := json.Marshal(spec)
	if err != nil {
		return nil, err
	}
	process := exec.CommandContext(ctx, self, "-role", name, string(encoded)) //nolint:gosec // this very program
	process.Stderr = os.Stderr
	return process, nil
}

// do runs a task in a process of its own, and measures the whole process.
func do[Answer any](ctx context.Context, name string, spec any) (answer Answer, took cost, err error) {
	process, err := again(ctx, name, spec)
	if err != nil {
		return answer, took, err
	}
	output, took, err := run(process)
	if err != nil {
		return answer, took, fmt.Errorf("%s: %w", name, err)
	}
	return answer, took, json.Unmarshal(output, &answer)
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

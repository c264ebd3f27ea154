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
		"serve":   serve,
		"sync":    task(runSync),
		"read":    task(readPages),
		"insert":  task(insertRows),
		"copy":    task(copyDays),
		"prefill": task(prefill),
		"naive":   task(syncNaively),
	}
}

// cost is what something took.
type cost struct {
	Wall, CPU time.Duration
}

func (c cost) plus(o cost) cost  { return cost{c.Wall + o.Wall, c.CPU + o.CPU} }
func (c cost) minus(o cost) cost { return cost{c.Wall - o.Wall, c.CPU - o.CPU} }

// time adds what a function takes.
func (c *cost) time(do func() error) error {
	began, used := time.Now(), cpuUsed()
	err := do()
	*c = c.plus(cost{time.Since(began), cpuUsed() - used})
	return err
}

// ended is what a child says at its end.
type ended[Answer any] struct {
	Answer  Answer
	PeakRSS int64 // bytes
}

// task makes a role of a function that is asked once and answers once.
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
		return json.NewEncoder(stdout).Encode(ended[Answer]{answer, peakResident()})
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

// do has a child do a task, and says what the whole process took.
func do[Answer any](ctx context.Context, name string, spec any) (result ended[Answer], took cost, err error) {
	process, err := again(ctx, name, spec)
	if err != nil {
		return result, took, err
	}
	output, took, err := run(process)
	if err != nil {
		return result, took, fmt.Errorf("%s: %w", name, err)
	}
	return result, took, json.Unmarshal(output, &result)
}

// run runs a process to its end.
func run(process *exec.Cmd) (output []byte, took cost, err error) {
	var stdout bytes.Buffer
	process.Stdout = &stdout
	began := time.Now()
	err = process.Run()
	took.Wall = time.Since(began)
	if state := process.ProcessState; state != nil {
		took.CPU = state.UserTime() + state.SystemTime()
	}
	return stdout.Bytes(), took, err
}

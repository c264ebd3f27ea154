package main

import (
	"context"
	"fmt"
	"io"
	"os"
)

// options are what a person may choose.
type options struct {
	Rows        int    `json:"rows"`
	Repeats     int    `json:"repeats"`
	Gzip        bool   `json:"gzip"`
	Connections int    `json:"connections"`
	MemoryLimit string `json:"memory_limit,omitempty"`
	Profiles    string `json:"-"`
}

// measure is one question put to the program. The order is that of the report,
// and matters: later measures go on with the warehouses of earlier ones.
type measure struct {
	name string
	run  func(*lab, context.Context) error
}

func measures() []measure {
	return []measure{
		{"full", (*lab).full},
		{"size", (*lab).size},
		{"increment", (*lab).increments},
		{"idle", (*lab).idle},
	}
}

func names() []string {
	var names []string
	for _, m := range measures() {
		names = append(names, m.name)
	}
	return names
}

func measureAll(ctx context.Context, o options, only, output string, stdout, stderr io.Writer) (err error) {
	l, err := newLab(o, stderr)
	if err != nil {
		return err
	}
	defer func() { err = firstError(err, l.close()) }()
	known := false
	for _, m := range measures() {
		if only != "" && only != m.name {
			continue
		}
		known = true
		if err := m.run(l, ctx); err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
	}
	if !known {
		return fmt.Errorf("there is no measure %q", only)
	}
	l.report.show(stdout)
	if output == "" {
		return nil
	}
	content, err := l.report.json()
	if err != nil {
		return err
	}
	return os.WriteFile(output, content, 0o640)
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

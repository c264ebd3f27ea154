package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// options are what a person may choose.
type options struct {
	Rows        int  `json:"rows"`
	Rounds      int  `json:"rounds"`
	Repeats     int  `json:"repeats"`
	Connections int  `json:"connections"`
	Markdown    bool `json:"-"`
}

// measure is one part of the report. The order matters: later measures continue
// with the warehouses of earlier ones.
type measure struct {
	name string
	run  func(*lab, context.Context) error
}

func measures() []measure {
	return []measure{
		{"full", (*lab).full},
		{"memory", (*lab).memory},
		{"increment", (*lab).increments},
		{"verify", (*lab).verify},
		{"queries", (*lab).queries},
		{"idle", (*lab).idle},
		{"expiry", (*lab).expiry},
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
	chosen := names()
	if only != "" {
		chosen = strings.Split(only, ",")
	}
	for _, name := range chosen {
		if !slices.Contains(names(), name) {
			return fmt.Errorf("there is no measure %q", name)
		}
	}
	l, err := newLab(ctx, o, stderr)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.close()) }()
	for _, m := range measures() {
		if err == nil && slices.Contains(chosen, m.name) {
			if err = m.run(l, ctx); err != nil {
				err = fmt.Errorf("%s: %w", m.name, err)
			}
		}
	}
	l.report.show(stdout) // also what came before a failure: it took minutes
	return errors.Join(err, l.report.write(output))
}

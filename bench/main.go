// Command bench measures the program on the machine it runs on, prints a table of
// the figures with their goals, and writes JSON:
//
//	go run -tags duckdb_arrow ./bench [-quick] [-rows N] [-only NAME,...] [-json FILE]
//
// Each measure is in a file of its own name; docs/performance.md says what is
// measured against what.
//
// The program is the real binary, built first. The simulator and the floor of inserting run in
// processes of their own (this binary, started again with -role), so that what each uses is
// measured alone. All traffic is on loopback; files are written to a temporary folder that is
// removed.
//
// Invariant: a figure comes only from a run that was complete and inserted
// exactly the rows it should have; any other run ends the program with an error.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(program(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// quickRows is enough for every stage to do its work, and little enough for CI.
const quickRows = 20_000

func program(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	var o options
	flags.IntVar(&o.Rows, "rows", 1_000_000, "rows of history in each stream; the other sizes follow from it")
	flags.IntVar(&o.Rounds, "rounds", 2, "how often the full sync and its floors are repeated; the best of each counts")
	flags.IntVar(&o.Repeats, "repeats", 5, "how often short runs are repeated; the best one counts")
	flags.IntVar(&o.Connections, "connections", 8, "connections of the sync")
	quick := flags.Bool("quick", false, fmt.Sprintf("a small size, to see that everything works (-rows %d -rounds 1 -repeats 2)", quickRows))
	only := flags.String("only", "", "measure only these, with commas: "+strings.Join(names(), ", "))
	output := flags.String("json", "", "also write the figures to this `file`")
	flags.BoolVar(&o.Markdown, "markdown", false, "print the table as Markdown")
	role := flags.String("role", "", "internal: be one side of a comparison, serve or insert, as the next argument says")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	var err error
	switch {
	case *role == "serve":
		err = serve(ctx, []byte(flags.Arg(0)), stdin, stdout)
	case *role == "insert":
		err = insert(ctx, []byte(flags.Arg(0)), stdout)
	case *role != "" || flags.NArg() > 0:
		err = errors.New("unknown role or argument")
	default:
		if *quick {
			o.Rows, o.Rounds, o.Repeats = quickRows, 1, 2
		}
		err = measureAll(ctx, o, *only, *output, stdout, stderr)
	}
	if err != nil {
		fmt.Fprintln(stderr, "bench:", err)
		return 1
	}
	return 0
}

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

// Command bench measures a sync on the machine it runs on, prints a table and
// writes JSON:
//
//	go run -tags duckdb_arrow ./bench [-quick] [-rows N] [-only NAME] [-json FILE]
//
// The simulator and every sync run in processes of their own (this binary,
// started again with -serve or -sync), so that a sync's memory and CPU time are
// measured alone. All traffic is on loopback; what is written lies in a temporary
// folder that is removed.
//
// Invariant: a figure comes only from a run that was complete and inserted
// exactly the rows it should have; any other run ends the program with an error.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// quickRows is enough for every stage to do its work, and little enough for CI.
const quickRows = 20_000

func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	var o options
	flags.IntVar(&o.Rows, "rows", 1_000_000, "rows of history in each stream")
	flags.IntVar(&o.Repeats, "repeats", 5, "how often short runs are repeated; the best one counts")
	flags.BoolVar(&o.Gzip, "gzip", false, "let the simulator compress its answers")
	flags.IntVar(&o.Connections, "connections", 8, "connections of the sync")
	flags.StringVar(&o.MemoryLimit, "memory-limit", "", "DuckDB's memory limit (default: the program's own)")
	flags.StringVar(&o.Profiles, "profiles", "", "write CPU and heap profiles of the full sync to this `folder`")
	quick := flags.Bool("quick", false, fmt.Sprintf("a small size, to see that everything works (-rows %d -repeats 2)", quickRows))
	only := flags.String("only", "", "measure only this: "+strings.Join(names(), ", "))
	output := flags.String("json", "", "also write the figures to this `file`")
	serveSpec := flags.String("serve", "", "internal: be the simulator")
	syncSpec := flags.String("sync", "", "internal: be the sync")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	var err error
	switch {
	case *serveSpec != "":
		err = serve(*serveSpec, stdin, stdout)
	case *syncSpec != "":
		err = sync(ctx, *syncSpec, stdout)
	default:
		if *quick {
			o.Rows, o.Repeats = quickRows, 2
		}
		err = measureAll(ctx, o, *only, *output, stdout, stderr)
	}
	if err != nil {
		fmt.Fprintln(stderr, "bench:", err)
		return 1
	}
	return 0
}

// Command flashback-sync copies an organisation's AI-policy alerts, violations
// and policy statistics into a DuckDB file and a Parquet lake.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/flashback-sync/flashback-sync/internal/crash"
)

func main() {
	exitWhenDuckDBGivesUp()
	if !isTerminal(os.Stdout) {
		text.DisableColors()
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		defer crash.Exit()
		first := <-signals
		cancel(stopped{first.(syscall.Signal)})
		<-signals // a second one does not wait
		os.Exit(stopped{first.(syscall.Signal)}.code())
	}()
	os.Exit(execute(ctx, os.Args[1:], os.LookupEnv, os.Stdout, os.Stderr))
}

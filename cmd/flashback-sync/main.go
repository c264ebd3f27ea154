// Command flashback-sync copies an organisation's AI-policy alerts, violations
// and policy statistics into a DuckDB file and a Parquet lake.
package main

import (
	"os"

	"github.com/jedib0t/go-pretty/v6/text"
)

func main() {
	exitWhenDuckDBGivesUp()
	if !isTerminal(os.Stdout) {
		text.DisableColors()
	}
	os.Exit(execute(untilStopped(), os.Args[1:], os.LookupEnv, os.Stdout, os.Stderr))
}

// Command flashback-iceberg brings Iceberg tables up to date from the lake that flashback-sync
// publishes. It needs no API token and no DuckDB.
package main

import (
	"os"
	"runtime/debug"
)

// memory is what the garbage collector aims at. A push needs less; without an aim it would
// let garbage grow to as much again.
const memory = 320 << 20

func main() {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memory)
	}
	os.Exit(execute(untilStopped(), os.Args[1:], os.LookupEnv, os.Stdout, os.Stderr))
}

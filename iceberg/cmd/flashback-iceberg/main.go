// Command flashback-iceberg brings Iceberg tables up to date from the lake that flashback-sync
// publishes. It needs no API token and no DuckDB.
package main

import "os"

func main() {
	os.Exit(execute(untilStopped(), os.Args[1:], os.LookupEnv, os.Stdout, os.Stderr))
}

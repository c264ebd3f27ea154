// Command makelake makes a lake of any size, for measurements.
package main

import (
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/flashback-sync/flashback-sync/iceberg/internal/lakegen"
)

func main() {
	dir := flag.String("dir", "lake", "folder to write to")
	first := flag.Int("first", 0, "first day; with --first the lake that is there goes on")
	days := flag.Int("days", 400, "number of days")
	rows := flag.Int("rows", 250_000, "rows a day, four alerts for each violation")
	seed := flag.Uint64("seed", 1, "another seed makes other rows")
	flag.Parse()
	if err := run(*dir, *first, *days, *rows, *seed); err != nil {
		fmt.Fprintln(os.Stderr, "makelake:", err)
		os.Exit(1)
	}
}

func run(dir string, first, days, rows int, seed uint64) error {
	l, err := lakegen.Open(dir, seed)
	if first == 0 || err != nil {
		l, err = lakegen.New(dir, seed)
	}
	if err != nil {
		return err
	}
	day := func(n int) time.Time { return time.Date(2025, 1, 1+n, 0, 0, 0, 0, time.UTC) }
	for n := first; n < first+days; n++ {
		if err := l.Set("alerts", day(n), rows*4/5, 0); err != nil {
			return err
		}
		if err := l.Set("violations", day(n), rows/5, 0); err != nil {
			return err
		}
		if err := l.Set("policy_stats", day(n).AddDate(0, 0, 1-day(n).Day()), rows/100, uint64(n)); err != nil {
			return err
		}
	}
	return l.Publish(day(first + days))
}

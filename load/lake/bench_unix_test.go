//go:build unix

package lake_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/flashback-sync/flashback-sync/internal/apisim"
	"github.com/flashback-sync/flashback-sync/load"
	"github.com/flashback-sync/flashback-sync/load/lake"
)

// BenchmarkPublish writes alerts of a simulated organisation, and lets DuckDB's
// COPY write the same rows in the same order, in turns: on a machine that does
// other things too only neighbours can be compared, and only by their CPU time.
func BenchmarkPublish(b *testing.B) {
	for _, c := range sizes {
		b.Run(c.name, func(b *testing.B) {
			dir := b.TempDir()
			w := open(b, dir)
			rows := simulated(b, apisim.Options{Seed: 1, Days: c.days, AlertsPerDay: c.perDay})
			commit(b, w, rows)
			var ours, theirs struct{ cpu, bytes int64 }
			for n := 0; b.Loop(); n++ {
				began := cpu()
				result, err := lake.Publish(context.Background(), options(filepath.Join(dir, "lake", fmt.Sprint(n))), w)
				if err != nil {
					b.Fatal(err)
				}
				ours.cpu, ours.bytes = ours.cpu+cpu()-began, result.Bytes
				b.StopTimer()
				theirs.cpu += copyAside(b, w, dir, &theirs.bytes)
				b.StartTimer()
			}
			count := float64(rows.Record.NumRows())
			b.ReportMetric(count*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
			b.ReportMetric(float64(ours.cpu)/float64(theirs.cpu), "CPU/COPY")
			b.ReportMetric(float64(ours.cpu)/count/float64(b.N), "cpu-ns/row")
			b.ReportMetric(float64(ours.bytes)/float64(theirs.bytes), "B/COPY")
			b.ReportMetric(float64(ours.bytes)/count, "B/row")
		})
	}
}

// copyAside lets COPY work on the closed warehouse, and returns what CPU it took.
func copyAside(b *testing.B, w *load.Warehouse, dir string, size *int64) int64 {
	b.Helper()
	if err := w.CloseFile(context.Background()); err != nil {
		b.Fatal(err)
	}
	began := cpu()
	*size = copied(b, dir)
	took := cpu() - began
	if err := w.Reopen(context.Background()); err != nil {
		b.Fatal(err)
	}
	return took
}

// cpu is the CPU time of this process, in nanoseconds.
func cpu() int64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(os.NewSyscallError("getrusage", err))
	}
	return usage.Utime.Nano() + usage.Stime.Nano()
}

package terminal

import (
	"io"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/flashback-sync/flashback-sync/internal/streams"
	"github.com/flashback-sync/flashback-sync/schema"
)

// Probes prints a line for each stream that was tried.
func Probes(out io.Writer, probes []streams.Probe) {
	t := Table(out, "stream", "answer", "history from", ">rows", ">requests", "read again in every run")
	for _, p := range probes {
		row := table.Row{p.Stream, p.Answer}
		switch start := p.Start.Format(time.DateOnly); {
		case p.Start.IsZero():
		case !schema.IsSeries(p.Stream):
			row = append(row, start, humanize.Comma(int64(p.Rows)), humanize.Comma(int64(p.Requests)), "the last "+p.Lookback.String())
		case p.Answer == "ok":
			row = append(row, start+" at most", "", "one a series", "buckets that were open")
		default:
			row = append(row, start)
		}
		t.AppendRow(row)
	}
	t.Render()
}

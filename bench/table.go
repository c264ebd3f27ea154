package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/flashback-sync/flashback-sync/internal/terminal"
)

func (r *report) show(to io.Writer) {
	fmt.Fprintf(to, "%v CPUs, %v/%v, %v; %s rows of history in each stream, %d connections\n\n",
		r.Machine["cpus"], r.Machine["os"], r.Machine["arch"], r.Machine["go"], humanize.Comma(int64(r.Options.Rows)), r.Options.Connections)
	r.printFigures(to)
	r.printVerdict(to)
}

func (r *report) printFigures(to io.Writer) {
	t := terminal.Table(to, "measure", "figure", ">ours", ">against", ">value", ">goal", ">")
	for i, f := range r.Figures {
		row := table.Row{f.Measure, f.Name, "", "", format(f.Value, f.Unit), "", ""}
		if f.Sides != nil {
			row[2], row[3] = format(f.Sides.Ours, f.Sides.Unit), format(f.Sides.Against, f.Sides.Unit)
		}
		if f.Goal != nil {
			row[5], row[6] = f.Goal.text(f.Unit), "met"
			if !*f.Met {
				row[6] = "missed"
			}
		}
		if i > 0 && f.Measure != r.Figures[i-1].Measure {
			t.AppendSeparator()
		}
		t.AppendRow(row)
	}
	if r.Options.Markdown {
		t.SuppressTrailingSpaces()
		t.RenderMarkdown()
	} else {
		t.Render()
	}
	fmt.Fprintln(to)
}

// printVerdict ends the report with what a person wants to know first.
func (r *report) printVerdict(to io.Writer) {
	goals, missed := 0, []string{}
	for _, f := range r.Figures {
		if f.Goal == nil {
			continue
		}
		if goals++; !*f.Met {
			missed = append(missed, fmt.Sprintf("missed: %s, %s: %s, goal %s\n", f.Measure, f.Name, format(f.Value, f.Unit), f.Goal.text(f.Unit)))
		}
	}
	fmt.Fprintf(to, "%d of %d goals met\n%s", goals-len(missed), goals, strings.Join(missed, ""))
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func format(value float64, u unit) string {
	switch u {
	case unitCount:
		return humanize.Comma(int64(value))
	case unitRate:
		return humanize.Comma(int64(value)) + "/s"
	case unitRatio:
		if value < 10 {
			return fmt.Sprintf("%.3f ×", value)
		}
		return fmt.Sprintf("%.1f ×", value)
	case unitBytes:
		return fmt.Sprintf("%.0f MB", value/1e6)
	case unitSeconds:
		if value < 1 {
			return format(value*1000, unitMillis)
		}
		return fmt.Sprintf("%.2f s", value)
	case unitMillis:
		if value < 10 {
			return fmt.Sprintf("%.2f ms", value)
		}
		return fmt.Sprintf("%.0f ms", value)
	case unitNumber:
		return fmt.Sprintf("%.1f", value)
	}
	return fmt.Sprint(value)
}

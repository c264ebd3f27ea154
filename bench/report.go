package main

import (
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"slices"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// unit says how a figure is shown. In the JSON it is plain.
type unit string

const (
	unitCount   unit = "count"
	unitNumber  unit = "number"
	unitRatio   unit = "ratio"
	unitSeconds unit = "s"
	unitMillis  unit = "ms"
	unitMicros  unit = "µs"
	unitRate    unit = "rows/s"
	unitBytes   unit = "bytes"
)

// figure is one result. A goal is the largest value that is good enough; 0 is none.
type figure struct {
	Measure string  `json:"measure"`
	Name    string  `json:"name"`
	Value   float64 `json:"value"`
	Unit    unit    `json:"unit"`
	Goal    float64 `json:"goal,omitempty"`
}

// report is what the JSON holds.
type report struct {
	At      time.Time            `json:"at"`
	Machine map[string]any       `json:"machine"`
	Options options              `json:"options"`
	Figures []figure             `json:"figures"`
	Tenths  map[string][]float64 `json:"rows_per_second_of_each_tenth"`
	Stages  map[string][]stage   `json:"stages"`
}

func newReport(o options) *report {
	return &report{
		At: time.Now().UTC(), Options: o, Tenths: map[string][]float64{}, Stages: map[string][]stage{},
		Machine: map[string]any{"os": runtime.GOOS, "arch": runtime.GOARCH, "cpus": runtime.NumCPU(), "go": runtime.Version()},
	}
}

func (r *report) add(measure, name string, value float64, u unit) { r.goal(measure, name, value, u, 0) }

func (r *report) goal(measure, name string, value float64, u unit, goal float64) {
	r.Figures = append(r.Figures, figure{measure, name, value, u, goal})
}

func (r *report) tenths(stream string, rates []float64) { r.Tenths[stream] = rates }

func (r *report) stages(measure string, run syncRun) { r.Stages[measure] = run.Stages }

func (r *report) json() ([]byte, error) {
	content, err := json.MarshalIndent(r, "", "  ")
	return append(content, '\n'), err
}

func (r *report) show(to io.Writer) {
	fmt.Fprintf(to, "%v CPUs, %v/%v, %v; %d rows of history in each stream, %d connections, compressed answers: %t\n",
		r.Machine["cpus"], r.Machine["os"], r.Machine["arch"], r.Machine["go"], r.Options.Rows, r.Options.Connections, r.Options.Gzip)
	r.printFigures(to)
	r.printTenths(to)
	for _, m := range names() {
		if stages := r.Stages[m]; stages != nil {
			printStages(to, m, stages)
		}
	}
}

func newTable(to io.Writer, title string, left int, header ...any) table.Writer {
	t := table.NewWriter()
	t.SetOutputMirror(to)
	t.SetStyle(table.StyleLight)
	t.Style().Format.Header = text.FormatDefault
	t.SetTitle(title)
	t.AppendHeader(header)
	var columns []table.ColumnConfig
	for i := left; i < len(header); i++ {
		columns = append(columns, table.ColumnConfig{Number: i + 1, Align: text.AlignRight, AlignHeader: text.AlignRight})
	}
	t.SetColumnConfigs(columns)
	return t
}

func (r *report) printFigures(to io.Writer) {
	t := newTable(to, "Figures", 2, "measure", "figure", "value", "goal", "")
	for i, f := range r.Figures {
		goal, verdict := "", ""
		if f.Goal > 0 {
			goal, verdict = "≤ "+format(f.Goal, f.Unit), "met"
			if f.Value > f.Goal {
				verdict = "missed"
			}
		}
		if i > 0 && f.Measure != r.Figures[i-1].Measure {
			t.AppendSeparator()
		}
		t.AppendRow(table.Row{f.Measure, f.Name, format(f.Value, f.Unit), goal, verdict})
	}
	t.Render()
}

func (r *report) printTenths(to io.Writer) {
	if len(r.Tenths) == 0 {
		return
	}
	header := []any{"stream"}
	for i := range 10 {
		header = append(header, i+1)
	}
	t := newTable(to, "Full sync: rows/s in each tenth of the rows", 1, header...)
	for _, name := range streams {
		row := table.Row{name}
		for _, rate := range r.Tenths[name] {
			row = append(row, humanize.Comma(int64(rate)))
		}
		t.AppendRow(row)
	}
	t.Render()
}

func printStages(to io.Writer, measure string, stages []stage) {
	total := time.Duration(0)
	for _, s := range stages {
		total += s.Wall
	}
	known := slices.ContainsFunc(stages, func(s stage) bool { return s.PeakRSS > 0 })
	t := newTable(to, "Stages: "+measure, 1, "stage", "wall", "share", "CPU", "peak resident", "of it Go's")
	for _, s := range stages {
		row := table.Row{
			s.Name, format(milliseconds(s.Wall), unitMillis), fmt.Sprintf("%.1f%%", 100*s.Wall.Seconds()/total.Seconds()),
			format(milliseconds(s.CPU), unitMillis),
		}
		if known {
			row = append(row, format(float64(s.PeakRSS), unitBytes), format(float64(s.PeakGo), unitBytes))
		}
		t.AppendRow(row)
	}
	t.Render()
}

func format(value float64, u unit) string {
	switch u {
	case unitCount:
		return humanize.Comma(int64(value))
	case unitRate:
		return humanize.Comma(int64(value)) + "/s"
	case unitRatio:
		return fmt.Sprintf("%.2f ×", value)
	case unitBytes:
		return fmt.Sprintf("%.0f MiB", value/(1<<20))
	case unitSeconds, unitMicros:
		return fmt.Sprintf("%.2f %s", value, u)
	case unitMillis:
		return fmt.Sprintf("%.0f ms", value)
	case unitNumber:
		return fmt.Sprintf("%.1f", value)
	}
	return fmt.Sprint(value)
}

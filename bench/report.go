package main

import (
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"time"
)

// unit says how a figure is shown. In the JSON it is plain.
type unit string

const (
	unitCount   unit = "count"
	unitNumber  unit = "number"
	unitRatio   unit = "ratio"
	unitSeconds unit = "s"
	unitMillis  unit = "ms"
	unitRate    unit = "rows/s"
	unitBytes   unit = "bytes"
)

// figure is one result. A ratio has two sides, in units of their own.
type figure struct {
	Measure string  `json:"measure"`
	Name    string  `json:"name"`
	Value   float64 `json:"value"`
	Unit    unit    `json:"unit"`
	Sides   *sides  `json:"sides,omitempty"`
	Goal    *goal   `json:"goal,omitempty"`
	Met     *bool   `json:"met,omitempty"`
}

// sides are what a ratio is made of: the program's figure, and what it is
// compared with.
type sides struct {
	Ours    float64 `json:"ours"`
	Against float64 `json:"against"`
	Unit    unit    `json:"unit"`
}

// goal is an upper bound; 0 is none.
type goal struct {
	AtMost float64 `json:"at_most"`
}

var noGoal = goal{}

func atMost(value float64) goal { return goal{value} }

func (g goal) met(value float64) bool { return value <= g.AtMost }

func (g goal) text(u unit) string {
	if u == unitRatio {
		return fmt.Sprintf("≤ %g ×", g.AtMost)
	}
	return "≤ " + format(g.AtMost, u)
}

// report is the content of the JSON file.
type report struct {
	At      time.Time      `json:"at"`
	Machine map[string]any `json:"machine"`
	Options options        `json:"options"`
	Figures []figure       `json:"figures"`
}

func newReport(o options) *report {
	return &report{
		At: time.Now().UTC(), Options: o,
		Machine: map[string]any{"os": runtime.GOOS, "arch": runtime.GOARCH, "cpus": runtime.NumCPU(), "go": runtime.Version()},
	}
}

// value adds a figure.
func (r *report) value(measure, name string, value float64, u unit, g goal) {
	r.put(figure{Measure: measure, Name: name, Value: value, Unit: u}, g)
}

// ratio adds a comparison of ours with something. Where that was too short to be
// measured, there is no verdict.
func (r *report) ratio(measure, name string, ours, against float64, u unit, g goal) {
	value := 0.0
	if against > 0 {
		value = ours / against
	} else {
		g = noGoal
	}
	r.put(figure{Measure: measure, Name: name, Value: value, Unit: unitRatio, Sides: &sides{ours, against, u}}, g)
}

// costs compares CPU time and wall time.
func (r *report) costs(measure, name string, ours, against cost, cpu, wall goal) {
	r.ratio(measure, name+": CPU", ours.CPU.Seconds(), against.CPU.Seconds(), unitSeconds, cpu)
	r.ratio(measure, name+": wall", ours.Wall.Seconds(), against.Wall.Seconds(), unitSeconds, wall)
}

func (r *report) put(f figure, g goal) {
	if g != noGoal {
		met := g.met(f.Value)
		f.Goal, f.Met = &g, &met
	}
	r.Figures = append(r.Figures, f)
}

// write writes the JSON, if a file is named.
func (r *report) write(path string) error {
	if path == "" {
		return nil
	}
	content, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(content, '\n'), 0o640)
}

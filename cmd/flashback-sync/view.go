package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/jedib0t/go-pretty/v6/progress"
	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/rs/zerolog"

	"github.com/flashback-sync/flashback-sync/internal/crash"
	"github.com/flashback-sync/flashback-sync/internal/run"
)

// view shows a run while it goes on: moving bars on a terminal, log lines
// elsewhere.
type view struct {
	log      zerolog.Logger
	out      io.Writer
	bars     progress.Writer // nil if there is no terminal
	trackers map[string]*progress.Tracker
	logged   time.Time
}

func (a *app) newView(log zerolog.Logger) *view {
	v := &view{log: log, out: a.stderr, trackers: map[string]*progress.Tracker{}, logged: time.Now()}
	if !isTerminal(a.stderr) {
		return v
	}
	v.bars = progress.NewWriter()
	v.bars.SetOutputWriter(a.stderr)
	v.bars.SetAutoStop(false)
	v.bars.SetTrackerLength(24)
	v.bars.SetUpdateFrequency(100 * time.Millisecond)
	v.bars.SetStyle(progress.StyleBlocks)
	v.bars.Style().Visibility.ETA = true
	v.bars.Style().Visibility.Speed = true
	v.bars.Style().Visibility.Percentage = true
	v.bars.Style().Options.PercentFormat = "%3.0f%%"
	go func() {
		defer crash.Exit()
		v.bars.Render()
	}()
	for !v.bars.IsRenderInProgress() {
		time.Sleep(time.Millisecond)
	}
	return v
}

func (v *view) close() {
	if v.bars == nil {
		return
	}
	v.bars.Stop()
	for v.bars.IsRenderInProgress() {
		time.Sleep(time.Millisecond)
	}
}

func (v *view) observe(e run.Event) {
	if e.Kind == run.Opened {
		return
	}
	if v.bars != nil {
		v.draw(e)
		return
	}
	line := v.log.Info()
	switch e.Kind {
	case run.Warned:
		line = v.log.Warn()
	case run.Progressed, run.Verifying:
		if time.Since(v.logged) < 10*time.Second || (e.Kind == run.Verifying && e.Rows == 0) {
			return
		}
		v.logged = time.Now()
		if e.Kind == run.Verifying {
			line.Str("stream", e.Stream).Int64("done", e.Rows).Int64("of", e.Expected).Msg("verifying")
			return
		}
		line.Str("stream", e.Stream).Int64("rows", e.Rows).Int64("expected", e.Expected).Int64("requests", e.Requests).Msg("reading")
		return
	case run.Finished:
		v.logFinished(e)
		return
	}
	if e.Stream != "" {
		line = line.Str("stream", e.Stream)
	}
	line.Msg(e.Message)
}

func (v *view) logFinished(e run.Event) {
	line := v.log.Info()
	if e.Result.Err != nil {
		line = v.log.Error().Err(e.Result.Err)
	}
	line.Str("stream", e.Stream).Int64("requests", e.Result.Requests).Int64("received", e.Result.Received).
		Int64("inserted", e.Result.Inserted).Int64("updated", e.Result.Updated).Int64("unchanged", e.Result.Unchanged).
		Int64("duplicate", e.Result.Duplicate).Int64("rejected", e.Result.Rejected).Bool("complete", e.Result.Complete).
		Dur("took_ms", e.Result.Took).Msg("stream done")
}

func (v *view) draw(e run.Event) {
	switch e.Kind {
	case run.Planned:
		tracker := &progress.Tracker{Message: e.Stream, Units: progress.UnitsDefault}
		v.trackers[e.Stream] = tracker
		v.bars.AppendTracker(tracker)
	case run.Progressed:
		if tracker := v.trackers[e.Stream]; tracker != nil {
			tracker.UpdateMessage(barLabel(e))
			tracker.UpdateTotal(max(e.Expected, e.Rows+1)) // equal would end the bar
			tracker.SetValue(e.Rows)
		}
	case run.Verifying:
		v.drawSteps(e)
	case run.Warned:
		v.say("%s %s", text.FgYellow.Sprint(cmp.Or(e.Stream, "source")+":"), e.Message)
	case run.Finished:
		v.drawFinished(e)
	case run.Published:
		v.say("%s", text.Faint.Sprint("published: "+e.Message))
	}
}

// drawSteps moves the bar of a verification, a step for each total.
func (v *view) drawSteps(e run.Event) {
	name := "verify " + e.Stream
	tracker := v.trackers[name]
	if tracker == nil || tracker.IsDone() {
		tracker = &progress.Tracker{Message: fmt.Sprintf("%-28s", name), Units: progress.UnitsDefault}
		v.trackers[name] = tracker
		v.bars.AppendTracker(tracker)
	}
	tracker.UpdateTotal(max(e.Expected, 1))
	tracker.SetValue(e.Rows)
	if e.Rows >= e.Expected {
		tracker.MarkAsDone()
	}
}

// say prints a line above the bars; without a bar that moves nothing would print it.
func (v *view) say(format string, arguments ...any) {
	if v.bars.LengthActive() > 0 {
		v.bars.Log(format, arguments...)
		return
	}
	fmt.Fprintf(v.out, format+"\n", arguments...)
}

func (v *view) drawFinished(e run.Event) {
	tracker := v.trackers[e.Stream]
	if tracker == nil {
		return
	}
	if e.Result.Err != nil && !errors.Is(e.Result.Err, run.ErrIncomplete) {
		tracker.MarkAsErrored()
		return
	}
	tracker.UpdateMessage(barLabel(e))
	tracker.UpdateTotal(max(e.Rows, 1))
	tracker.SetValue(e.Rows)
	tracker.MarkAsDone()
}

// barLabel has one width, so that the bars stand below each other.
func barLabel(e run.Event) string {
	return fmt.Sprintf("%-12s %7s requests", e.Stream, humanize.Comma(e.Requests))
}

// printSummary prints the table that ends a run on a terminal.
func (a *app) printSummary(s *run.Summary) {
	t := newTable(a.stdout, "received", "new", "changed", "same", "twice", "rejected", "requests", "time")
	t.AppendHeader(table.Row{"stream", "status", "received", "new", "changed", "same", "twice", "rejected", "requests", "time"})
	for _, name := range s.Names() {
		r := s.Streams[name]
		t.AppendRow(table.Row{
			name, statusText(r), humanize.Comma(r.Received), humanize.Comma(r.Inserted), humanize.Comma(r.Updated),
			humanize.Comma(r.Unchanged), humanize.Comma(r.Duplicate), humanize.Comma(r.Rejected), humanize.Comma(r.Requests),
			r.Took.Round(10 * time.Millisecond),
		})
	}
	t.Render()
}

func statusText(r *run.Result) string {
	switch {
	case !r.Served:
		return text.Faint.Sprint("not served")
	case r.Complete && r.Err == nil:
		return text.FgGreen.Sprint("complete")
	case errors.Is(r.Err, run.ErrIncomplete):
		return text.FgYellow.Sprint("incomplete")
	}
	return text.FgRed.Sprint("failed")
}

// newTable is the look of all tables: light lines, the named columns to the right.
func newTable(out io.Writer, numbers ...string) table.Writer {
	t := table.NewWriter()
	t.SetOutputMirror(out)
	t.SetStyle(table.StyleLight)
	t.Style().Format.Header = text.FormatDefault
	t.Style().Options.SeparateColumns = false
	t.Style().Options.DrawBorder = false
	configs := make([]table.ColumnConfig, len(numbers))
	for i, name := range numbers {
		configs[i] = table.ColumnConfig{Name: name, Align: text.AlignRight, AlignHeader: text.AlignRight}
	}
	t.SetColumnConfigs(configs)
	return t
}

package terminal

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/jedib0t/go-pretty/v6/progress"
	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/rs/zerolog"

	"github.com/flashback-sync/flashback-sync/internal/crash"
	"github.com/flashback-sync/flashback-sync/internal/run"
)

// Progress shows a run while it goes on: as moving bars on a terminal, as log lines
// elsewhere.
type Progress struct {
	log    zerolog.Logger
	logged time.Time // when the progress of a stream was last logged

	out    io.Writer
	writer progress.Writer // nil if there is no terminal
	bars   map[string]*progress.Tracker
}

// NewProgress draws bars on out if it is a terminal, otherwise it logs. The caller
// closes it.
func NewProgress(out io.Writer, terminal bool, log zerolog.Logger) *Progress {
	p := &Progress{log: log, logged: time.Now(), out: out, bars: map[string]*progress.Tracker{}}
	if !terminal {
		return p
	}
	p.writer = progress.NewWriter()
	p.writer.SetOutputWriter(out)
	p.writer.SetAutoStop(false)
	p.writer.SetTrackerLength(24)
	p.writer.SetUpdateFrequency(100 * time.Millisecond)
	p.writer.SetStyle(progress.StyleBlocks)
	p.writer.Style().Visibility.ETA = true
	p.writer.Style().Visibility.Speed = true
	p.writer.Style().Options.PercentFormat = "%3.0f%%"
	go func() {
		defer crash.Exit()
		p.writer.Render()
	}()
	p.await(true)
	return p
}

// Close stops the bars.
func (p *Progress) Close() {
	if p.writer != nil {
		p.writer.Stop()
		p.await(false)
	}
}

// await waits until the bars are drawn or not drawn any more, which go-pretty does not report.
func (p *Progress) await(drawn bool) {
	for p.writer.IsRenderInProgress() != drawn {
		time.Sleep(time.Millisecond)
	}
}

// Observe shows an event.
func (p *Progress) Observe(e run.Event) {
	if p.writer != nil {
		p.draw(e)
	} else {
		p.write(e)
	}
}

// write logs an event, and how far a stream is every ten seconds.
func (p *Progress) write(e run.Event) {
	switch e.Kind {
	case run.Planned, run.Published:
		message(p.log.Info(), e)
	case run.Warned:
		message(p.log.Warn(), e)
	case run.Progressed:
		if p.due() {
			p.log.Info().Str("stream", e.Stream).Int64("rows", e.Rows).Int64("expected", e.Expected).Int64("requests", e.Requests).Msg("reading")
		}
	case run.Verifying:
		if e.Rows > 0 && p.due() {
			p.log.Info().Str("stream", e.Stream).Int64("done", e.Rows).Int64("of", e.Expected).Msg("verifying")
		}
	case run.Finished:
		p.writeFinished(e)
	}
}

func message(line *zerolog.Event, e run.Event) {
	if e.Stream != "" {
		line = line.Str("stream", e.Stream)
	}
	line.Msg(e.Message)
}

func (p *Progress) due() bool {
	if time.Since(p.logged) < 10*time.Second {
		return false
	}
	p.logged = time.Now()
	return true
}

func (p *Progress) writeFinished(e run.Event) {
	line := p.log.Info()
	if e.Result.Err != nil {
		line = p.log.Error().Err(e.Result.Err)
	}
	line.Str("stream", e.Stream).Int64("requests", e.Result.Requests).Int64("received", e.Result.Received).
		Int64("inserted", e.Result.Inserted).Int64("updated", e.Result.Updated).Int64("unchanged", e.Result.Unchanged).
		Int64("duplicate", e.Result.Duplicate).Int64("rejected", e.Result.Rejected).Bool("complete", e.Result.Complete).
		Dur("took_ms", e.Result.Took).Msg("stream done")
}

func (p *Progress) draw(e run.Event) {
	switch e.Kind {
	case run.Planned:
		p.bar(e.Stream)
	case run.Progressed:
		p.move(e.Stream, e, max(e.Expected, e.Rows+1)) // equal would end the bar
	case run.Verifying:
		bar := p.bar("verify " + e.Stream)
		bar.UpdateTotal(max(e.Expected, 1))
		bar.SetValue(e.Rows)
		if e.Rows >= e.Expected {
			bar.MarkAsDone()
		}
	case run.Warned:
		p.print(text.FgYellow.Sprint(cmp.Or(e.Stream, "source")+":") + " " + e.Message)
	case run.Published:
		p.print(text.Faint.Sprint("published: " + e.Message))
	case run.Finished:
		if e.Result.Err != nil && !errors.Is(e.Result.Err, run.ErrIncomplete) {
			p.bar(e.Stream).MarkAsErrored()
			return
		}
		p.move(e.Stream, e, max(e.Rows, 1)).MarkAsDone()
	}
}

// bar is the one of this name that moves; all are of one width.
func (p *Progress) bar(name string) *progress.Tracker {
	if bar := p.bars[name]; bar != nil && !bar.IsDone() {
		return bar
	}
	bar := &progress.Tracker{Message: fmt.Sprintf("%-28s", name), Units: progress.UnitsDefault}
	p.bars[name] = bar
	p.writer.AppendTracker(bar)
	return bar
}

func (p *Progress) move(name string, e run.Event, of int64) *progress.Tracker {
	bar := p.bar(name)
	bar.UpdateMessage(fmt.Sprintf("%-12s %7s requests", e.Stream, humanize.Comma(e.Requests)))
	bar.UpdateTotal(of)
	bar.SetValue(e.Rows)
	return bar
}

// print prints a line above the bars; without a bar that moves nothing would print it.
func (p *Progress) print(line string) {
	if p.writer.LengthActive() > 0 {
		p.writer.Log("%s", line)
		return
	}
	fmt.Fprintln(p.out, line)
}

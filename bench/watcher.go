package main

import (
	"os"
	"path/filepath"
	gosync "sync"
	"time"

	"github.com/flashback-sync/flashback-sync/internal/pipeline"
	"github.com/flashback-sync/flashback-sync/load"
	"github.com/flashback-sync/flashback-sync/load/lake"
	"github.com/flashback-sync/flashback-sync/load/snapshot"
)

// Names of a run's stages. The stages of a stream bear its name before them.
const (
	stageOpen       = "open"          // start, open, plan
	stageRead       = "read, commit"  // pages in, batches committed
	stageSettle     = "last, settle"  // the last batch, and the run's ids in the rest of the table
	stageLake       = "lake"          // Parquet files and manifest
	stageCheckpoint = "checkpoint"    // the private file is closed
	stageSnapshot   = "snapshot"      // copy of the private file
	stageClose      = "note, release" // summary, lock
)

// watcher makes stages and rates of the run's events. The publishers send none
// of their own: the times of the files they write tell where one ended.
type watcher struct {
	spec   syncSpec
	result syncRun
	meter  *meter

	mu      gosync.Mutex // warnings come from several goroutines
	started time.Time    // the stage under way
	last    time.Time    // the last page
	pages   []arrival
}

type arrival struct {
	at   time.Time
	rows int64
}

func newWatcher(spec syncSpec) *watcher {
	return &watcher{
		spec: spec, meter: startMeter(), started: time.Now().Round(0),
		result: syncRun{Streams: map[string]*streamRun{}},
	}
}

func (r *syncRun) stream(name string) *streamRun {
	if r.Streams[name] == nil {
		r.Streams[name] = &streamRun{}
	}
	return r.Streams[name]
}

func (w *watcher) observe(e pipeline.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now().Round(0) // comparable with the times of files
	switch e.Kind {
	case pipeline.Planned:
		w.end(e.Stream+": "+stageOpen, now)
		w.last, w.pages = now, append(w.pages[:0], arrival{now, 0})
	case pipeline.Progressed:
		w.last, w.pages = now, append(w.pages, arrival{now, e.Rows})
		if w.spec.HeapProfile != "" && e.Expected > 0 && e.Rows > e.Expected/2 {
			_ = profileHeap(w.spec.HeapProfile) // the person who asked misses the file
			w.spec.HeapProfile = ""
		}
	case pipeline.Finished:
		w.end(e.Stream+": "+stageRead, w.last)
		w.end(e.Stream+": "+stageSettle, now)
		w.result.stream(e.Stream).Tenths = tenths(w.pages)
	case pipeline.Published:
		w.published(now)
	case pipeline.Warned:
	}
}

// published divides the time since the last stream by the files written in it.
func (w *watcher) published(now time.Time) {
	w.end(stageLake, w.writtenAt(filepath.Join(w.spec.Dir, "lake", lake.ManifestName)))
	w.end(stageCheckpoint, w.writtenAt(load.File(w.spec.Dir)))
	if w.writtenAt(filepath.Join(w.spec.Dir, snapshot.Name)).After(w.started) {
		w.end(stageSnapshot, now)
	}
}

// writtenAt is when a file was written, if that was in the stage under way.
func (w *watcher) writtenAt(path string) time.Time {
	info, err := os.Stat(path)
	if err != nil || info.ModTime().Before(w.started) {
		return w.started
	}
	return info.ModTime()
}

// end closes the stage under way and opens the next.
func (w *watcher) end(name string, at time.Time) {
	w.result.Stages = append(w.result.Stages, stage{Name: name, cost: cost{Wall: at.Sub(w.started)}})
	w.started = at
}

func (w *watcher) finish() syncRun {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.end(stageClose, time.Now().Round(0))
	samples := w.meter.stop()
	from := samples[0].at
	for i := range w.result.Stages {
		s := &w.result.Stages[i]
		to := from.Add(s.Wall)
		s.CPU, s.PeakRSS, s.PeakGo = between(samples, from, to)
		from = to
	}
	return w.result
}

// tenths are the rows/s of each tenth of the rows. The first arrival is the start.
func tenths(pages []arrival) []float64 {
	if len(pages) < 11 {
		return nil
	}
	total := pages[len(pages)-1].rows
	var rates []float64
	from := pages[0]
	for _, p := range pages {
		if p.rows*10 < total*int64(len(rates)+1) || p.at.Equal(from.at) {
			continue
		}
		rates = append(rates, float64(p.rows-from.rows)/p.at.Sub(from.at).Seconds())
		from = p
	}
	return rates
}

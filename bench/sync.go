package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"strings"
	"time"

	"github.com/flashback-sync/flashback-sync/extract"
	"github.com/flashback-sync/flashback-sync/internal/pipeline"
)

// syncSpec says what a sync process does. It is wired as the program wires it,
// with the defaults of its configuration.
type syncSpec struct {
	URL, Dir, RunID         string
	Start, Now              time.Time // Now is the source's: both clocks agree
	Lookback                time.Duration
	Connections             int
	MemoryLimit             string
	CPUProfile, HeapProfile string // files to write; "" for none
}

// lookback of every sync here. The rows of one day arrive in an increment, so
// each reads about as many rows again as it finds new ones.
const lookback = 48 * time.Hour

// syncRun is what became of a run. Whoever started the process adds the last
// two fields.
type syncRun struct {
	Streams map[string]*streamRun
	// Stages are the run's parts in order of time, for their names see watcher.
	Stages []stage

	cost          // of the whole process
	PeakRSS int64 // bytes
}

// stage is a part of a run.
type stage struct {
	Name string
	cost
	PeakRSS, PeakGo int64 // bytes, sampled; the Go runtime's are part of the former
}

// part is what the stages took whose names end so.
func (r syncRun) part(suffixes ...string) (total cost) {
	for _, s := range r.Stages {
		for _, suffix := range suffixes {
			if strings.HasSuffix(s.Name, suffix) {
				total = total.plus(s.cost)
			}
		}
	}
	return total
}

func (r syncRun) whole() cost    { return r.cost }
func (r syncRun) lake() cost     { return r.part(stageLake) }
func (r syncRun) snapshot() cost { return r.part(stageSnapshot) }

// committed is the run without what publishing takes: starting, reading,
// decoding, committing, and the private file closed with a checkpoint.
func (r syncRun) committed() cost { return r.minus(r.lake()).minus(r.snapshot()) }

// rows of all streams that were new. Neighbouring answers overlap, so more were
// received.
func (r syncRun) rows() (total int64) {
	for _, s := range r.Streams {
		total += s.Inserted
	}
	return total
}

// streamRun is what became of one stream.
type streamRun struct {
	Requests, Inserted int64
	// Tenths are the rows/s of each tenth of the rows.
	Tenths []float64
}

// runSync is the sync process.
func runSync(ctx context.Context, spec syncSpec) (result syncRun, err error) {
	if spec.CPUProfile != "" {
		stop, err := profileCPU(spec.CPUProfile)
		if err != nil {
			return result, err
		}
		defer func() { err = firstError(err, stop()) }()
	}
	client, err := extract.NewClient(extract.Options{
		BaseURL: spec.URL, UserAgent: "flashback-sync/bench", MaxConcurrency: spec.Connections,
		Timeout: 30 * time.Second, Retries: 5,
		Token: func(context.Context, bool) (string, error) { return token, nil },
	})
	if err != nil {
		return result, err
	}
	defer client.Close()
	began := time.Now()
	w := newWatcher(spec)
	summary, err := pipeline.Run(ctx, pipeline.Options{
		RunID: spec.RunID, Version: "bench", DataDir: spec.Dir, PublishDuckDB: true, Compression: "zstd",
		MemoryLimit: spec.MemoryLimit,
		Now:         func() time.Time { return spec.Now.Add(time.Since(began)) },
		Lists:       []pipeline.List{list(spec, extract.Alerts), list(spec, extract.Violations)},
		Observe:     w.observe,
	}, client)
	result = w.finish()
	if err == nil && summary.Status != "ok" {
		err = errors.New("the sync was " + summary.Status)
	}
	for name, s := range summary.Streams {
		err = errors.Join(err, s.Err)
		result.stream(name).Requests, result.stream(name).Inserted = s.Requests, s.Inserted
	}
	return result, err
}

func list(spec syncSpec, kind extract.List) pipeline.List {
	return pipeline.List{Query: extract.Query{List: kind}, Start: spec.Start, Lookback: spec.Lookback}
}

func profileCPU(path string) (stop func() error, err error) {
	file, err := create(path)
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(file); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return func() error {
		pprof.StopCPUProfile()
		return file.Close()
	}, nil
}

func profileHeap(path string) error {
	file, err := create(path)
	if err != nil {
		return err
	}
	runtime.GC() // the profile is of the last collection
	return errors.Join(pprof.WriteHeapProfile(file), file.Close())
}

func create(path string) (*os.File, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return nil, err
	}
	return os.Create(path)
}

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
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

// syncRun is what became of a run. Whoever started the process adds the last
// three fields.
type syncRun struct {
	Streams map[string]*streamRun
	// Stages are the run's parts in order of time, for their names see watcher.
	Stages []stage

	Wall, CPU time.Duration // of the whole process
	PeakRSS   int64         // bytes
}

// stage is a part of a run.
type stage struct {
	Name            string
	Wall, CPU       time.Duration
	PeakRSS, PeakGo int64 // bytes, sampled; the Go runtime's are part of the former
}

// streamRun is what became of one stream.
type streamRun struct {
	Requests, Received, Inserted int64
	// Tenths are the rows/s of each tenth of the rows.
	Tenths []float64
}

// sync is the sync process.
func sync(ctx context.Context, specJSON string, stdout io.Writer) (err error) {
	var spec syncSpec
	if err := json.Unmarshal([]byte(specJSON), &spec); err != nil {
		return err
	}
	if spec.CPUProfile != "" {
		stop, err := profileCPU(spec.CPUProfile)
		if err != nil {
			return err
		}
		defer func() { err = firstError(err, stop()) }()
	}
	client, err := extract.NewClient(extract.Options{
		BaseURL: spec.URL, UserAgent: "flashback-sync/bench", MaxConcurrency: spec.Connections,
		Timeout: 30 * time.Second, Retries: 5,
		Token: func(context.Context, bool) (string, error) { return "bench", nil },
	})
	if err != nil {
		return err
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
	result := w.finish()
	if err == nil && summary.Status != "ok" {
		err = errors.New("the sync was " + summary.Status)
	}
	for name, s := range summary.Streams {
		err = errors.Join(err, s.Err)
		result.stream(name).Requests, result.stream(name).Received, result.stream(name).Inserted = s.Requests, s.Received, s.Inserted
	}
	if err != nil {
		return err
	}
	return json.NewEncoder(stdout).Encode(result)
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

// startSync runs a sync in a process of its own and waits for it.
func startSync(ctx context.Context, spec syncSpec) (syncRun, error) {
	var result syncRun
	process, err := again(ctx, "-sync", spec)
	if err != nil {
		return result, err
	}
	began := time.Now()
	output, err := process.Output()
	wall := time.Since(began)
	if err != nil {
		return result, fmt.Errorf("sync: %w", err)
	}
	err = json.Unmarshal(output, &result)
	used := usageOf(process.ProcessState)
	result.Wall, result.CPU, result.PeakRSS = wall, used.cpu, used.rss
	return result, err
}

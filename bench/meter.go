package main

import (
	"bytes"
	"os"
	"runtime/metrics"
	"strconv"
	"time"
)

// meter samples what this process uses, so that each stage's share is known. It
// costs some ten microseconds a sample.
type meter struct {
	done    chan struct{}
	samples chan []sample
}

// sample is the state at one moment.
type sample struct {
	at     time.Time
	cpu    time.Duration // used so far
	rss    int64         // bytes resident; 0 where the system has no /proc
	golang int64         // bytes that the Go runtime holds
}

const sampling = 5 * time.Millisecond

func startMeter() *meter {
	m := &meter{done: make(chan struct{}), samples: make(chan []sample, 1)}
	samples := []sample{take()}
	go func() {
		ticker := time.NewTicker(sampling)
		defer ticker.Stop()
		for {
			select {
			case <-m.done:
				m.samples <- append(samples, take())
				return
			case <-ticker.C:
				samples = append(samples, take())
			}
		}
	}()
	return m
}

// stop returns the samples, at least two, in order of time.
func (m *meter) stop() []sample {
	close(m.done)
	return <-m.samples
}

func take() sample {
	held := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	metrics.Read(held)
	return sample{
		at: time.Now().Round(0), cpu: cpuUsed(), rss: resident(),
		golang: int64(held[0].Value.Uint64() - held[1].Value.Uint64()),
	}
}

func resident() int64 {
	content, err := os.ReadFile("/proc/self/statm")
	fields := bytes.Fields(content)
	if err != nil || len(fields) < 2 {
		return 0
	}
	pages, _ := strconv.ParseInt(string(fields[1]), 10, 64)
	return pages * int64(os.Getpagesize())
}

// between sums up the samples of a stretch of time. What is shorter than the
// distance of two samples gets those around it.
func between(samples []sample, from, to time.Time) (cpu time.Duration, rss, golang int64) {
	first, last := samples[0], samples[len(samples)-1]
	for i, s := range samples {
		if s.at.Before(from) || s.at.Equal(from) {
			first = s
		}
		inside := !s.at.Before(from) && !s.at.After(to)
		if inside || (s.at.After(to) && i > 0 && samples[i-1].at.Before(from)) {
			rss, golang = max(rss, s.rss), max(golang, s.golang)
		}
		if !s.at.Before(to) {
			last = s
			break
		}
	}
	return last.cpu - first.cpu, rss, golang
}

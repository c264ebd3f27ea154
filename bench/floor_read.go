package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	gosync "sync"
	"sync/atomic"
)

// readSpec is the floor of reading: as many pages as contain the rows, by a client
// that does nothing with them.
type readSpec struct {
	URL         string
	Connections int
	Rows        map[string]int
}

// readPages pages by skip: that needs nothing of the answer before, and costs the
// simulator the same at any depth.
func readPages(ctx context.Context, spec readSpec) (bytes int64, err error) {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost, transport.MaxConnsPerHost = spec.Connections, spec.Connections
	client := &http.Client{Transport: transport}
	defer client.CloseIdleConnections()
	for _, stream := range streams {
		var next, read atomic.Int64
		var workers gosync.WaitGroup
		failures := make(chan error, spec.Connections)
		for range spec.Connections {
			workers.Go(func() {
				for skip := next.Add(100) - 100; skip < int64(spec.Rows[stream]); skip = next.Add(100) - 100 {
					n, err := readPage(ctx, client, fmt.Sprintf("%s/policy/%s?take=100&skip=%d", spec.URL, stream, skip))
					if err != nil {
						failures <- err
						return
					}
					read.Add(n)
				}
			})
		}
		workers.Wait()
		if len(failures) > 0 {
			return 0, <-failures
		}
		bytes += read.Load()
	}
	return bytes, nil
}

func readPage(ctx context.Context, client *http.Client, url string) (bytes int64, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, err
	}
	request.Header.Set("Authorization", "Bearer "+token)
	answer, err := client.Do(request)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return 0, fmt.Errorf("%s: %s", url, answer.Status)
	}
	return io.Copy(io.Discard, answer.Body)
}

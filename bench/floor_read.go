package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	gosync "sync"
	"sync/atomic"
)

// readPages is the floor of reading: as many pages as contain the rows, by a client that does
// nothing with them. It pages by skip: that needs nothing of the answer before, and costs
// the simulator the same at any depth.
func (l *lab) readPages(ctx context.Context, from status) error {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost, transport.MaxConnsPerHost = l.Connections, l.Connections
	client := &http.Client{Transport: transport}
	defer client.CloseIdleConnections()
	for _, stream := range streams {
		var next atomic.Int64
		var workers gosync.WaitGroup
		failures := make(chan error, l.Connections)
		for range l.Connections {
			workers.Go(func() {
				for skip := next.Add(100) - 100; skip < int64(from.Rows[stream]); skip = next.Add(100) - 100 {
					if err := readPage(ctx, client, fmt.Sprintf("%s/policy/%s?take=100&skip=%d", from.URL, stream, skip)); err != nil {
						failures <- err
						return
					}
				}
			})
		}
		workers.Wait()
		if len(failures) > 0 {
			return <-failures
		}
	}
	return nil
}

func readPage(ctx context.Context, client *http.Client, url string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+token)
	answer, err := client.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", url, answer.Status)
	}
	_, err = io.Copy(io.Discard, answer.Body)
	return err
}

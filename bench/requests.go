package main

import "context"

// requests counts what the full sync asked, besides what it had to.
func (l *lab) requests(ctx context.Context) error {
	s, err := l.history(ctx, l.Rows)
	if err != nil {
		return err
	}
	for _, name := range streams {
		got := s.filled.Streams[name]
		l.report.ratio("requests", name+" / (rows / 100)", float64(got.Requests), float64(got.Inserted)/100, unitCount, atMost(1.02))
	}
	return nil
}

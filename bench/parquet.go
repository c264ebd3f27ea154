package main

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/dustin/go-humanize"
)

// parquet is the size of the lake's files against those that DuckDB's own COPY
// makes of the same rows, in the same order, compressed alike. It depends on how
// many rows a file has, so small, middling and large days are tried.
func (l *lab) parquet(ctx context.Context) error {
	for _, density := range []struct{ days, perDay int }{
		{7, 400},
		{7, 10_000},
		{2, 150_000}, // two weekdays have some 200,000 each
	} {
		if density.perDay > max(400, l.Rows/5) {
			continue
		}
		if err := l.lakeSize(ctx, density.days, density.perDay); err != nil {
			return err
		}
	}
	return nil
}

func (l *lab) lakeSize(ctx context.Context, days, perDay int) error {
	source, err := l.simulate(ctx, days, perDay)
	if err != nil {
		return err
	}
	s := l.site(fmt.Sprintf("daily-%d", perDay), source)
	if _, err := l.fill(ctx, s); err != nil {
		return err
	}
	ours, err := bytesBelow(filepath.Join(s.dir, "lake"))
	if err != nil {
		return err
	}
	theirs, _, err := l.copied(ctx, s)
	if err != nil {
		return err
	}
	rows := float64(source.rows())
	daily := int64(rows) / int64(days*len(streams))
	l.report.ratio("parquet", fmt.Sprintf("bytes a row at %s rows a day / COPY", humanize.Comma(daily)),
		float64(ours)/rows, float64(theirs.Bytes)/rows, unitNumber, atMost(1.0))
	return s.remove()
}

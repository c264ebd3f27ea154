package main

import (
	"bytes"
	"context"
	"errors"
	"io"

	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/flashback-sync/flashback-sync/schema"
	"github.com/flashback-sync/flashback-sync/transform"
)

// decode is the way of pages from their records' bytes to Arrow batches, against
// only reading the tokens with the same JSON library.
func (l *lab) decode(ctx context.Context) error {
	l.say("decoding pages")
	sim := serveSpec{Days: 10, PerDay: 1000}.simulator()
	for _, name := range streams {
		var records [][]byte
		for page, err := range pages(ctx, sim, name) {
			if err != nil {
				return err
			}
			for _, record := range page {
				records = append(records, bytes.Clone(record))
			}
		}
		batch := transform.NewBatch(schema.ByName(name), memory.DefaultAllocator)
		defer batch.Release()
		took, err := interleaved(8*l.Repeats, func() error { return decodeAll(batch, records) }, func() error { return readTokens(records) })
		if err != nil {
			return err
		}
		hundreds := float64(len(records)) / 100
		l.report.ratio("decode", "a page of "+name+" to Arrow / reading its tokens",
			milliseconds(took[0])/hundreds, milliseconds(took[1])/hundreds, unitMillis, atMost(1.3))
	}
	return nil
}

// decodeAll builds batches of 5,000 rows.
func decodeAll(batch *transform.Batch, records [][]byte) error {
	for i, record := range records {
		if batch.Add(record) != transform.Added {
			return errors.New("a record was not added to its batch")
		}
		if batch.Rows() == 5_000 || i == len(records)-1 {
			batch.Build().Release()
		}
	}
	return nil
}

func readTokens(records [][]byte) error {
	var decoder jsontext.Decoder
	var source bytes.Reader
	for _, record := range records {
		source.Reset(record)
		decoder.Reset(&source, jsontext.AllowDuplicateNames(true))
		for {
			if _, err := decoder.ReadToken(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				return err
			}
		}
	}
	return nil
}

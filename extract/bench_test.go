package extract

import (
	"context"
	"testing"

	"github.com/flashback-sync/flashback-sync/checkpoints/instant"
	"github.com/flashback-sync/flashback-sync/extract/api"
)

// BenchmarkProvePage is what a walk does with a page beside reading it.
func BenchmarkProvePage(b *testing.B) {
	reader := dial(b, uniform(1000))
	var pages [2]*api.Answer
	for i := range pages {
		page, err := reader.client.List(context.Background(), anyPage, around(0, forever, instant.Day), i*api.MaxTake, api.MaxTake)
		if err != nil {
			b.Fatal(err)
		}
		pages[i] = page
	}
	before, page := pages[0], pages[1]
	page.To, _ = before.Oldest()
	walk := newWalk(reader.Walk([]Job{{Open: true}}), 0, 0, 0, true)
	b.ReportAllocs()
	for b.Loop() {
		if countAbove(before.Rows, page, page.To) != api.MaxTake || len(walk.give(page).Records) != api.MaxTake {
			b.Fatal("rows are missing")
		}
	}
}

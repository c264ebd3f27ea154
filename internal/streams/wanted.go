// Package streams is what is read of the source: the queries of lists and the series of
// statistics, what they are called in the coverage ledger, and the rows that are stored of them.
package streams

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"

	"github.com/flashback-sync/flashback-sync/internal/journal"
	"github.com/flashback-sync/flashback-sync/transform"
)

// Wanted lists the queries of every stream. stats may be nil.
func Wanted(privacy *transform.Policy, lists []List, stats *Stats) map[string]journal.Wanted {
	all := map[string]journal.Wanted{}
	for _, list := range lists {
		w := journal.Wanted{Start: list.Start}
		for _, query := range list.Queries(privacy) {
			w.Filters = append(w.Filters, KeyOf(privacy, query).Filter)
		}
		all[list.Name()] = digested(w)
	}
	if stats == nil {
		return all
	}
	var w journal.Wanted
	for _, series := range stats.configured(privacy) {
		w.Filters = append(w.Filters, series.Key().Filter)
	}
	for _, scope := range stats.Scopes {
		if scope.Auto {
			for _, part := range stats.filtered(privacy, Series{Stream: stats.Stream, Scope: scope.Scope, Bucket: stats.Bucket}) {
				w.Auto = append(w.Auto, part.Key().Filter)
			}
		}
	}
	all[stats.Stream.Name] = digested(w)
	return all
}

func digested(w journal.Wanted) journal.Wanted {
	slices.Sort(w.Filters)
	content, err := json.Marshal([][]string{w.Filters, w.Auto})
	if err != nil { // strings always marshal
		panic(err)
	}
	sum := sha256.Sum256(content)
	w.Digest = hex.EncodeToString(sum[:8])
	return w
}

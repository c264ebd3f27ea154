package run

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"

	"github.com/flashback-sync/flashback-sync/internal/journal"
)

// Wanted lists the queries of every stream.
func (o *Options) Wanted() map[string]journal.Wanted {
	all := map[string]journal.Wanted{}
	for _, list := range o.Lists {
		w := journal.Wanted{Start: list.Start}
		for _, query := range list.Queries(o.Privacy) {
			w.Filters = append(w.Filters, KeyOf(o.Privacy, query).Filter)
		}
		all[list.Name()] = digested(w)
	}
	if o.Stats == nil {
		return all
	}
	var w journal.Wanted
	for _, series := range o.Stats.configured(o.Privacy) {
		w.Filters = append(w.Filters, series.Key().Filter)
	}
	for _, scope := range o.Stats.Scopes {
		if scope.Auto {
			for _, part := range o.Stats.filtered(o.Privacy, Series{Stream: o.Stats.Stream, Scope: scope.Scope, Bucket: o.Stats.Bucket}) {
				w.Auto = append(w.Auto, part.Key().Filter)
			}
		}
	}
	all[o.Stats.Stream.Name] = digested(w)
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

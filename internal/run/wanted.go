package run

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"time"
)

// Wanted is what the options want of a stream: the queries it consists of.
type Wanted struct {
	Start   time.Time // of lists; zero for statistics
	Filters []string  // the ledger's filter of every query that is named
	Auto    []string  // series of every repository that was seen, without their id
	Digest  string    // differs for another set of queries
}

// Wanted lists the queries of every stream.
func (o *Options) Wanted() map[string]Wanted {
	all := map[string]Wanted{}
	for _, list := range o.Lists {
		w := Wanted{Start: list.Start}
		for _, query := range list.Queries() {
			w.Filters = append(w.Filters, query.Key())
		}
		all[list.Name()] = w.digested()
	}
	if o.Stats == nil {
		return all
	}
	var w Wanted
	for _, series := range o.Stats.configured() {
		w.Filters = append(w.Filters, series.Key().Filter)
	}
	for _, scope := range o.Stats.Scopes {
		if scope.Auto {
			for _, part := range o.Stats.filtered(Series{Stream: o.Stats.Stream, Scope: scope.Scope, Bucket: o.Stats.Bucket}) {
				w.Auto = append(w.Auto, part.Key().Filter)
			}
		}
	}
	all[o.Stats.Stream.Name] = w.digested()
	return all
}

func (w Wanted) digested() Wanted {
	slices.Sort(w.Filters)
	content, err := json.Marshal([][]string{w.Filters, w.Auto})
	if err != nil { // strings always marshal
		panic(err)
	}
	sum := sha256.Sum256(content)
	w.Digest = hex.EncodeToString(sum[:8])
	return w
}

package metrics

import (
	"strings"
	"time"

	"github.com/flashback-sync/flashback-sync/internal/status"
)

func programFamilies() []family {
	return []family{
		{
			name: "build_info", kind: gauge, labels: []string{"version"},
			help: "Always 1; the label says which version of flashback-sync this is.",
			read: func(s *status.Status, add add) { add(1, bounded(s.Version)) },
		},
		{
			name: "problems", kind: gauge, labels: []string{"level"},
			help: "Things that are not as they should be, as on the status page: bad (somebody has to act), warn (somebody should look), note (worth knowing).",
			read: func(s *status.Status, add add) {
				counts := map[status.Level]int{}
				for _, p := range s.Problems() {
					counts[p.Level]++
				}
				for _, level := range []status.Level{status.Bad, status.Warn, status.Note} {
					add(float64(counts[level]), string(level))
				}
			},
		},
		{
			name: "stale_after_seconds", kind: gauge,
			help: "How far a stream may lag before it counts as stale, as configured; absent if it never does.",
			read: func(s *status.Status, add add) {
				if s.StaleAfter > 0 {
					add(s.StaleAfter.Seconds())
				}
			},
		},
	}
}

func fileFamilies() []family {
	return []family{
		{
			name: "published_bytes", kind: gauge, labels: []string{"file"},
			help: "Size of what is published: the DuckDB file (0 if none is), all Parquet files of the lake.",
			read: held(func(h *status.Holdings, add add) {
				add(float64(h.DuckDBBytes), "duckdb")
				add(float64(h.LakeBytes), "lake")
			}),
		},
		{
			name: "lake_files", kind: gauge,
			help: "Parquet files of the lake.",
			read: held(func(h *status.Holdings, add add) { add(float64(h.LakeFiles)) }),
		},
		{
			name: "published_timestamp_seconds", kind: gauge,
			help: "When the published ledger of what is covered was written, in seconds since 1970. Runs that change no row renew it twice a day only.",
			read: held(func(h *status.Holdings, add add) { moment(h.At, add) }),
		},
	}
}

// held reads what is published, if it is known.
func held(read func(h *status.Holdings, add add)) func(*status.Status, add) {
	return func(s *status.Status, add add) {
		if s.Holdings != nil {
			read(s.Holdings, add)
		}
	}
}

// moment adds a time, unless it is none.
func moment(t time.Time, add add, labels ...string) {
	if !t.IsZero() {
		add(float64(t.UnixMilli())/1000, labels...)
	}
}

// bounded makes a version fit for a label.
func bounded(text string) string {
	const most = 100
	return strings.ToValidUTF8(text[:min(len(text), most)], "")
}

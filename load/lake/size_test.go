package lake_test

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"path/filepath"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/flashback-sync/flashback-sync/internal/apisim"
	"github.com/flashback-sync/flashback-sync/load"
	"github.com/flashback-sync/flashback-sync/load/lake"
	"github.com/flashback-sync/flashback-sync/schema"
)

// BenchmarkPublish writes alerts of a simulated organisation and compares the
// size of the files with that of DuckDB's COPY of the same rows in the same
// order. Small files pay for the comments and privacy classes that ours carry.
func BenchmarkPublish(b *testing.B) {
	for _, c := range []struct {
		name         string
		days, perDay int
	}{{"day_of_200k", 1, 150_000}, {"month_of_200k", 30, 6_600}, {"month_of_12k", 30, 420}} {
		b.Run(c.name, func(b *testing.B) {
			dir := b.TempDir()
			w := open(b, dir)
			rows := simulated(b, apisim.Options{Seed: 1, Days: c.days, AlertsPerDay: c.perDay})
			commit(b, w, rows)
			var written int64
			for n := 0; b.Loop(); n++ {
				lakeDir := filepath.Join(dir, fmt.Sprint("lake", n))
				result, err := lake.Publish(context.Background(), options(lakeDir), w)
				if err != nil {
					b.Fatal(err)
				}
				written = result.Bytes
			}
			count := float64(rows.Record.NumRows())
			b.ReportMetric(count*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
			b.ReportMetric(float64(written)/count, "B/row")
			_ = w.Close()
			b.ReportMetric(float64(copied(b, dir))/count, "COPY-B/row")
		})
	}
}

// copied is the size of the files that DuckDB makes of the same rows.
func copied(tb testing.TB, dir string) (size int64) {
	tb.Helper()
	db, err := sql.Open("duckdb", load.File(dir)+"?access_mode=READ_ONLY")
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	target := filepath.Join(dir, "copy")
	_, err = db.Exec(fmt.Sprintf(`COPY (SELECT *, timestamp::DATE AS date FROM alerts ORDER BY timestamp, id) TO %s
		(FORMAT parquet, COMPRESSION zstd, PARTITION_BY (date))`, schema.Literal(target)))
	if err != nil {
		tb.Fatal(err)
	}
	err = filepath.WalkDir(target, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		size += info.Size()
		return err
	})
	if err != nil {
		tb.Fatal(err)
	}
	return size
}

// simulated makes rows of the alerts table as an organisation has them.
func simulated(tb testing.TB, options apisim.Options) load.Rows {
	tb.Helper()
	table := schema.Alerts()
	events := apisim.New(options).Alerts()
	builder := array.NewRecordBuilder(memory.DefaultAllocator, table.BatchSchema())
	defer builder.Release()
	for i := range events {
		texts := textsOf(&events[i])
		for j, c := range table.Batch() {
			switch field := builder.Field(j).(type) {
			case *array.TimestampBuilder:
				field.Append(arrow.Timestamp(events[i].Timestamp.UnixMicro()))
			case *array.StringBuilder:
				if text := texts[c.Name]; text != nil {
					field.Append(*text)
				} else {
					field.AppendNull()
				}
			}
		}
	}
	rows := load.Rows{Table: table, Record: builder.NewRecordBatch(), Oldest: events[0].Timestamp, Newest: events[len(events)-1].Timestamp}
	tb.Cleanup(rows.Record.Release)
	return rows
}

func textsOf(e *apisim.Row) map[string]*string {
	return map[string]*string{
		"id": &e.ID, "policy_id": &e.PolicyID, "policy_name": &e.PolicyName, "message": &e.Message,
		"conversation_id": e.ConversationID, "repo_id": &e.RepoID, "repo_name": &e.RepoName, "user_id": &e.UserID, "user_name": &e.UserName,
		"repo_ai_api_key_id": &e.RepoAIAPIKeyID, "repo_ai_api_key_name": &e.RepoAIAPIKeyName,
		"llm_type": e.LLMType, "llm_model": e.LLMModel, "host": e.Host,
	}
}

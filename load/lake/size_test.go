package lake_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/flashback-sync/flashback-sync/internal/apisim"
	"github.com/flashback-sync/flashback-sync/load"
	"github.com/flashback-sync/flashback-sync/schema"
)

// sizes are organisations' days: small, usual and large.
var sizes = []struct {
	name         string
	days, perDay int
}{{"days_of_400", 30, 400}, {"days_of_10k", 20, 10_000}, {"days_of_200k", 2, 200_000}}

// Files are never larger than those that DuckDB's COPY makes of the same rows.
func TestFilesAreNoLargerThanThoseOfCopy(t *testing.T) {
	for _, c := range sizes[:2] {
		dir := t.TempDir()
		w := open(t, dir)
		rows := simulated(t, apisim.Options{Seed: 1, Days: min(c.days, 5), AlertsPerDay: c.perDay})
		commit(t, w, rows)
		count := float64(rows.Record.NumRows())
		s := &site{TB: t, Warehouse: w, dir: filepath.Join(dir, "lake")}
		s.publish()
		var size int64
		for _, entry := range s.manifest().Files {
			size += entry.Bytes
		}
		if err := w.CloseFile(context.Background()); err != nil {
			t.Fatal(err)
		}
		theirs := copied(t, dir)
		t.Logf("%s: %.1f bytes a row, COPY %.1f", c.name, float64(size)/count, float64(theirs)/count)
		if size > theirs {
			t.Errorf("%s: %d bytes, COPY %d", c.name, size, theirs)
		}
	}
}

// copied is the size of the files that DuckDB makes of the same rows in the same
// order, one a day, with as much memory and as many threads as we have.
func copied(tb testing.TB, dir string) (size int64) {
	tb.Helper()
	db, err := sql.Open("duckdb", load.File(dir)+"?access_mode=READ_ONLY&memory_limit=160MB&threads=1")
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	db.SetMaxOpenConns(1)
	if _, err := db.Exec("SET TimeZone = 'UTC'"); err != nil {
		tb.Fatal(err)
	}
	target := tb.TempDir()
	for _, at := range daysOf(tb, db) {
		path := filepath.Join(target, at.Format("2006-01-02")+".parquet")
		_, err = db.Exec(fmt.Sprintf(`COPY (SELECT * FROM alerts WHERE timestamp >= make_timestamptz(%d) AND timestamp < make_timestamptz(%d) ORDER BY timestamp, id)
			TO %s (FORMAT parquet, COMPRESSION zstd)`, at.UnixMicro(), at.AddDate(0, 0, 1).UnixMicro(), schema.Literal(path)))
		if err != nil {
			tb.Fatal(err)
		}
		info, err := os.Stat(path)
		if err != nil {
			tb.Fatal(err)
		}
		size += info.Size()
	}
	return size
}

func daysOf(tb testing.TB, db *sql.DB) (days []time.Time) {
	tb.Helper()
	rows, err := db.Query("SELECT DISTINCT date_trunc('day', timestamp) FROM alerts ORDER BY 1")
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var at time.Time
		if err := rows.Scan(&at); err != nil {
			tb.Fatal(err)
		}
		days = append(days, at.UTC())
	}
	if err := rows.Err(); err != nil {
		tb.Fatal(err)
	}
	return days
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

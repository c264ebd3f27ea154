package run_test

import (
	"crypto/sha256"
	"database/sql"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"syscall"
	"time"

	_ "github.com/duckdb/duckdb-go/v2"
	"github.com/google/go-cmp/cmp"

	"github.com/flashback-sync/flashback-sync/internal/apisim"
	"github.com/flashback-sync/flashback-sync/load"
	"github.com/flashback-sync/flashback-sync/load/snapshot"
	"github.com/flashback-sync/flashback-sync/schema"
)

// fields are a row's columns as text, times in Unix microseconds. A column that
// is NULL is not there.
type fields map[string]string

// open opens a DuckDB file read-only; "" is none, with access to other files. The
// caller closes it.
func open(t tester, path string) *sql.DB {
	t.Helper()
	dsn := ""
	if path != "" {
		dsn = path + "?access_mode=READ_ONLY"
	}
	db, err := sql.Open("duckdb", dsn)
	if err != nil {
		t.Fatal(err)
	}
	return db
}

// published runs a query on the analysts' file and gives the first column of the
// first row as text.
func (w *world) published(query string, arguments ...any) string {
	w.t.Helper()
	return one(w.t, filepath.Join(w.dir, snapshot.Name), query, arguments...)
}

// private does so on the warehouse itself.
func (w *world) private(query string, arguments ...any) string {
	w.t.Helper()
	return one(w.t, load.File(w.dir), query, arguments...)
}

func one(t tester, path, query string, arguments ...any) string {
	t.Helper()
	db := open(t, path)
	defer func() { _ = db.Close() }()
	var value any
	if err := db.QueryRow(query, arguments...).Scan(&value); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return fmt.Sprint(value)
}

// read reads the rows of a table from a relation, by id; one id twice fails.
func read(t tester, db *sql.DB, relation string, table *schema.Table) map[string]fields {
	t.Helper()
	selected := make([]string, len(table.Columns))
	for i, c := range table.Columns {
		selected[i] = schema.Ident(c.Name) + "::VARCHAR"
		if c.Type == schema.Timestamp {
			selected[i] = "epoch_us(" + schema.Ident(c.Name) + ")::VARCHAR"
		}
	}
	rows, err := db.Query("SELECT " + strings.Join(selected, ", ") + " FROM " + relation)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	stored := map[string]fields{}
	for rows.Next() {
		values, targets := make([]sql.NullString, len(selected)), make([]any, len(selected))
		for i := range values {
			targets[i] = &values[i]
		}
		if err := rows.Scan(targets...); err != nil {
			t.Fatal(err)
		}
		row := fields{}
		for i, c := range table.Columns {
			if values[i].Valid {
				row[c.Name] = values[i].String
			}
		}
		key := keyOf(table, row)
		if stored[key] != nil {
			t.Errorf("%s: %s is there twice", relation, key)
		}
		stored[key] = row
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return stored
}

func keyOf(table *schema.Table, row fields) string {
	parts := make([]string, len(table.Key))
	for i, k := range table.Key {
		parts[i] = row[k]
	}
	return strings.Join(parts, "|")
}

// warehouse reads a table of the analysts' file.
func (w *world) warehouse(table *schema.Table) map[string]fields {
	w.t.Helper()
	db := open(w.t, filepath.Join(w.dir, snapshot.Name))
	defer func() { _ = db.Close() }()
	return read(w.t, db, schema.Ident(table.Name), table)
}

// lake reads a table's Parquet files.
func (w *world) lake(table *schema.Table) map[string]fields {
	w.t.Helper()
	db := open(w.t, "")
	defer func() { _ = db.Close() }()
	return w.lakeIn(db, table)
}

func (w *world) lakeIn(db *sql.DB, table *schema.Table) map[string]fields {
	w.t.Helper()
	pattern := filepath.Join(w.dir, "lake", table.LakePath())
	if files, _ := filepath.Glob(pattern); len(files) == 0 {
		return map[string]fields{}
	}
	return read(w.t, db, "read_parquet("+schema.Literal(pattern)+", hive_partitioning = false)", table)
}

// truth is what the simulator holds of a stream, by id.
func (w *world) truth(stream apisim.Stream) map[string]fields {
	want := map[string]fields{}
	for _, row := range w.sim.Rows(stream) {
		want[row.ID] = fieldsOf(stream, row)
	}
	return want
}

// fieldsOf is a row as the tables hold it, without what the loader adds.
func fieldsOf(stream apisim.Stream, r apisim.Row) fields {
	f := fields{
		"id": r.ID, "policy_id": r.PolicyID, "policy_name": r.PolicyName,
		"timestamp": strconv.FormatInt(r.Timestamp.UnixMicro(), 10),
		"repo_id":   r.RepoID, "repo_name": r.RepoName, "user_id": r.UserID, "user_name": r.UserName,
		"repo_ai_api_key_id": r.RepoAIAPIKeyID, "repo_ai_api_key_name": r.RepoAIAPIKeyName,
	}
	optional := map[string]*string{
		"conversation_id": r.ConversationID, "llm_type": r.LLMType, "llm_model": r.LLMModel, "host": r.Host,
	}
	if stream == apisim.Violations {
		f["explanation"] = r.Explanation
		optional["severity"] = r.Severity
		if r.Block != nil {
			f["block"] = strconv.FormatBool(*r.Block)
		}
	} else {
		f["message"] = r.Message
	}
	for name, value := range optional {
		if value != nil {
			f[name] = *value
		}
	}
	return f
}

// source is the row without what the loader adds.
func (f fields) source() fields {
	out := fields{}
	for name, value := range f {
		if !strings.HasPrefix(name, "_") {
			out[name] = value
		}
	}
	return out
}

// equalsTruth compares the analysts' file and the lake with the simulator, field
// by field.
func (w *world) equalsTruth(streams ...apisim.Stream) {
	w.t.Helper()
	if len(streams) == 0 {
		streams = []apisim.Stream{apisim.Alerts, apisim.Violations}
	}
	for _, stream := range streams {
		w.holds(stream, w.truth(stream))
	}
}

// holds compares both outputs with the rows that are wanted.
func (w *world) holds(stream apisim.Stream, want map[string]fields) {
	w.t.Helper()
	table := schema.ByName(string(stream))
	db := open(w.t, filepath.Join(w.dir, snapshot.Name))
	defer func() { _ = db.Close() }()
	stored := read(w.t, db, schema.Ident(table.Name), table)
	got := map[string]fields{}
	for id, row := range stored {
		got[id] = row.source()
	}
	differ(w.t, table.Name+" of the DuckDB file", want, got)
	differ(w.t, table.Name+" of the lake, against the DuckDB file", stored, w.lakeIn(db, table))
}

// differ reports up to three rows that are not alike.
func differ(t tester, what string, want, got map[string]fields) {
	t.Helper()
	if len(want) != len(got) {
		t.Errorf("%s: %d rows, want %d", what, len(got), len(want))
	}
	shown := 0
	for _, side := range []map[string]fields{want, got} {
		for key := range side {
			if shown < 3 && !reflect.DeepEqual(want[key], got[key]) {
				shown++
				t.Errorf("%s, row %s (-want +got):\n%s", what, key, cmp.Diff(want[key], got[key]))
			}
		}
	}
}

// file is what must stay the same of a file that is not rewritten.
type file struct {
	Inode    uint64
	Modified int64
	Hash     string
}

// files are all published files, by path below data_dir.
func (w *world) files() map[string]file {
	w.t.Helper()
	out := map[string]file{}
	err := filepath.WalkDir(w.dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			if err == nil && entry.Name() == "state" {
				return fs.SkipDir
			}
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		name, _ := filepath.Rel(w.dir, path)
		out[filepath.ToSlash(name)] = file{
			Inode: info.Sys().(*syscall.Stat_t).Ino, Modified: info.ModTime().UnixNano(),
			Hash: fmt.Sprintf("%x", sha256.Sum256(content)),
		}
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return out
}

func unix(at time.Time) string { return strconv.FormatInt(at.UnixMicro(), 10) }

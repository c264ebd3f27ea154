package torture

import (
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	_ "github.com/duckdb/duckdb-go/v2"

	"github.com/flashback-sync/flashback-sync/internal/apisim"
)

// fields are a row's columns as text, timestamp in Unix microseconds. A column
// that is NULL is not there.
type fields map[string]string

// truth are the source's rows by id, as the tables hold them.
func (w *world) truth(stream apisim.Stream) map[string]fields {
	want := map[string]fields{}
	for _, r := range w.sim.Rows(stream) {
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
		want[r.ID] = f
	}
	return want
}

// equalsTruth is the judgement: everything that is published against the source.
func (w *world) equalsTruth() {
	w.t.Helper()
	if err := w.judge(); err != nil {
		w.t.Errorf("after a run that was left alone: %v", err)
	}
}

func (w *world) judge() error {
	db, err := sql.Open("duckdb", published(w.data)+"?access_mode=READ_ONLY")
	if err != nil {
		return err
	}
	defer db.Close()
	for _, stream := range []apisim.Stream{apisim.Alerts, apisim.Violations} {
		stored, err := rowsOf(db, string(stream), "id")
		if err != nil {
			return err
		}
		inLake, err := rowsOf(db, w.lake(string(stream)), "id")
		if err != nil {
			return err
		}
		if err := errors.Join(
			w.compare(string(stream)+" of the DuckDB file", w.truth(stream), stored),
			same(string(stream)+" of the lake, against the DuckDB file", stored, inLake),
		); err != nil {
			return err
		}
	}
	const key = "concat_ws('|', scope, scope_id, rule_id, api_key_id, bucket_size, bucket_start)"
	stored, err := rowsOf(db, "policy_stats", key)
	if err != nil {
		return err
	}
	inLake, err := rowsOf(db, w.lake("policy_stats"), key)
	if err == nil && len(stored) == 0 {
		err = errors.New("no statistics are stored")
	}
	return errors.Join(err, same("policy_stats of the lake, against the DuckDB file", stored, inLake), w.judgeDerived(db), w.judgeManifest(db), w.judgeLeftovers())
}

// judgeDerived compares what is computed from events with the events, in both kinds of files.
func (w *world) judgeDerived(db *sql.DB) error {
	for _, counted := range []string{"events_daily", w.lake("events_daily")} {
		for kind, table := range map[string]string{"alert": "alerts", "violation": "violations"} {
			var days, events int64
			err := db.QueryRow("SELECT (SELECT coalesce(sum(events), 0)::BIGINT FROM "+counted+" WHERE kind = ?), (SELECT count(*) FROM "+table+")", kind).Scan(&days, &events)
			if err != nil || days != events {
				return fmt.Errorf("%s counts %d of %d %s: %w", counted, days, events, table, err)
			}
		}
	}
	return nil
}

func (w *world) lake(table string) string {
	return "read_parquet('" + filepath.Join(w.data, "lake", table, "*", table+".parquet") + "', hive_partitioning = false)"
}

// compare finds what is missing, different or too much; rows deleted at the
// source may be stored.
func (w *world) compare(what string, want, stored map[string]fields) error {
	source := map[string]fields{}
	for id, row := range stored {
		if want[id] == nil && w.deleted[id] {
			continue
		}
		row = maps.Clone(row)
		maps.DeleteFunc(row, func(name, _ string) bool { return strings.HasPrefix(name, "_") })
		source[id] = row
	}
	return same(what, want, source)
}

// same reports the first few rows that are not alike.
func same(what string, want, got map[string]fields) error {
	var differences []error
	for id, row := range want {
		if !maps.Equal(row, got[id]) {
			differences = append(differences, fmt.Errorf("%s: row %s is %v, want %v", what, id, got[id], row))
		}
	}
	for id, row := range got {
		if want[id] == nil {
			differences = append(differences, fmt.Errorf("%s: row %v is too much", what, row))
		}
	}
	if n := len(differences); n > 2 {
		differences = append(differences[:2], fmt.Errorf("%s: %d rows differ", what, n))
	}
	return errors.Join(differences...)
}

// rowsOf reads a relation; a key that stands twice is an error.
func rowsOf(db *sql.DB, relation, key string) (map[string]fields, error) {
	at := `epoch_us("timestamp")::VARCHAR AS "timestamp", `
	except := `EXCLUDE ("timestamp")`
	if key != "id" {
		at, except = "", ""
	}
	rows, err := db.Query("SELECT (" + key + ")::VARCHAR AS _key, " + at + "COLUMNS(* " + except + ")::VARCHAR FROM " + relation)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	stored := map[string]fields{}
	for rows.Next() {
		values, targets := make([]sql.NullString, len(names)), make([]any, len(names))
		for i := range values {
			targets[i] = &values[i]
		}
		if err := rows.Scan(targets...); err != nil {
			return nil, err
		}
		row := fields{}
		for i, value := range values {
			if value.Valid && i > 0 && names[i] != "date" && names[i] != "month" { // the published tables add them
				row[names[i]] = value.String
			}
		}
		if stored[values[0].String] != nil {
			return nil, fmt.Errorf("%s: %s is there twice", relation, values[0].String)
		}
		stored[values[0].String] = row
	}
	return stored, rows.Err()
}

// manifest is what a reader of the lake relies on.
type manifest struct {
	Format int
	Files  []struct {
		Path   string
		Rows   int
		Bytes  int
		SHA256 string
	}
}

func readManifest(data string) (m manifest, err error) {
	content, err := os.ReadFile(filepath.Join(data, "lake", "manifest.json"))
	if err != nil {
		return m, err
	}
	return m, json.Unmarshal(content, &m)
}

// judgeManifest holds the manifest against the files, one by one.
func (w *world) judgeManifest(db *sql.DB) error {
	m, err := readManifest(w.data)
	if err != nil {
		return err
	}
	listed := map[string]bool{}
	for _, f := range m.Files {
		path := filepath.Join(w.data, "lake", filepath.FromSlash(f.Path))
		listed[path] = true
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(content)
		if len(content) != f.Bytes || hex.EncodeToString(sum[:]) != f.SHA256 {
			return fmt.Errorf("the manifest does not fit %s", f.Path)
		}
		var rows int
		if err := db.QueryRow("SELECT count(*) FROM read_parquet('" + path + "')").Scan(&rows); err != nil || rows != f.Rows {
			return fmt.Errorf("%s: %d rows, the manifest says %d: %w", f.Path, rows, f.Rows, err)
		}
	}
	files, err := parquetFiles(w.data)
	for _, path := range files {
		if !listed[path] {
			return fmt.Errorf("the manifest lacks %s", path)
		}
	}
	return err
}

func parquetFiles(data string) ([]string, error) {
	return filepath.Glob(filepath.Join(data, "lake", "*", "*", "*.parquet"))
}

// judgeLeftovers finds what a run must not leave behind.
func (w *world) judgeLeftovers() error {
	var found []error
	err := filepath.WalkDir(w.data, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := entry.Name()
		if strings.Contains(name, ".before-") { // what a rebuild keeps
			return nil
		}
		if strings.HasPrefix(name, ".") || strings.HasSuffix(name, ".new") || strings.HasSuffix(name, ".wal") || name == "unpublished" {
			found = append(found, fmt.Errorf("left over: %s", path))
		}
		return nil
	})
	return errors.Join(append(found, err)...)
}

package schema_test

import (
	"database/sql"
	"encoding/json"
	"os"
	"strings"
	"testing"

	_ "github.com/duckdb/duckdb-go/v2"
	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v4"

	"github.com/flashback-sync/flashback-sync/schema"
)

// contract is DESIGN's list of tables and columns: users rely on these names.
var contract = map[string]string{
	"alerts":               "id policy_id policy_name timestamp message conversation_id repo_id repo_name user_id user_name repo_ai_api_key_id repo_ai_api_key_name llm_type llm_model host extra _first_synced_at _last_changed_at _run_id",
	"violations":           "id policy_id policy_name timestamp explanation conversation_id repo_id repo_name user_id user_name repo_ai_api_key_id repo_ai_api_key_name llm_type llm_model host severity block extra _first_synced_at _last_changed_at _run_id",
	"policy_stats":         "scope scope_id rule_id api_key_id bucket_size bucket_start violations alerts blocks severity_low severity_medium severity_high policy_tokens_in policy_tokens_out closed extra _last_changed_at _run_id",
	"policy_stats_summary": "scope scope_id rule_id api_key_id window bucket_size start end total avg std_dev min max p10 p50 p90 fetched_at _run_id",
}

func TestTablesHaveTheColumnsOfTheContract(t *testing.T) {
	for name, want := range contract {
		var got []string
		for _, c := range schema.ByName(name).Columns {
			got = append(got, c.Name)
		}
		if diff := cmp.Diff(strings.Fields(want), got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	var raw []string
	for _, c := range schema.RejectedRecords().Columns {
		raw = append(raw, c.Name)
	}
	if diff := cmp.Diff([]string{"stream", "run_id", "reason", "raw", "rejected_at"}, raw); diff != "" {
		t.Errorf("rejected_records (-want +got):\n%s", diff)
	}
}

func TestNamesAreTheAPINamesInSnakeCase(t *testing.T) {
	for _, table := range schema.Tables() {
		for _, c := range table.Columns {
			if c.API != "" && snake(c.API) != c.Name {
				t.Errorf("%s: column %s for API field %s", table.Name, c.Name, c.API)
			}
			if c.Doc == "" || c.Privacy == "" {
				t.Errorf("%s.%s: lacks a doc or a privacy class", table.Name, c.Name)
			}
		}
		if _, ok := table.Column(table.Time); !ok {
			t.Errorf("%s: no time column %s", table.Name, table.Time)
		}
		for _, k := range table.Key {
			if _, ok := table.Column(k); !ok {
				t.Errorf("%s: no key column %s", table.Name, k)
			}
		}
	}
}

func snake(api string) string {
	var b strings.Builder
	for _, r := range api {
		if r >= 'A' && r <= 'Z' {
			b.WriteByte('_')
			r += 'a' - 'A'
		}
		b.WriteRune(r)
	}
	return b.String()
}

// TestDDLMakesWhatWasDeclared runs the DDL in a real DuckDB and reads its catalog.
func TestDDLMakesWhatWasDeclared(t *testing.T) {
	db := open(t)
	for _, table := range schema.Tables() {
		for _, statement := range table.DDL() {
			if _, err := db.Exec(statement); err != nil {
				t.Fatalf("%s: %v", statement, err)
			}
		}
		var comment string
		if err := db.QueryRow("select comment from duckdb_tables() where table_name = ?", table.Name).Scan(&comment); err != nil || comment != table.Doc {
			t.Errorf("%s: comment %q, %v", table.Name, comment, err)
		}
		for i, c := range table.Columns {
			var name, dataType, doc string
			var nullable bool
			err := db.QueryRow("select column_name, data_type, comment, is_nullable from duckdb_columns() where table_name = ? and column_index = ?", table.Name, i+1).
				Scan(&name, &dataType, &doc, &nullable)
			if err != nil {
				t.Fatal(err)
			}
			wantType := strings.Replace(c.Type.DuckDB(), "TIMESTAMPTZ", "TIMESTAMP WITH TIME ZONE", 1)
			if name != c.Name || dataType != wantType || doc != c.Doc || nullable == c.NotNull {
				t.Errorf("%s.%s: %s %s %q nullable=%v", table.Name, c.Name, name, dataType, doc, nullable)
			}
		}
	}
}

func TestDictionaryInEveryFormat(t *testing.T) {
	for _, format := range schema.Formats() {
		out, err := schema.Dictionary(format, schema.Tables(), schema.Views())
		if err != nil {
			t.Fatal(err)
		}
		for _, table := range schema.Tables() {
			for _, c := range table.Columns {
				if !strings.Contains(string(out), c.Name) {
					t.Errorf("%s lacks %s.%s", format, table.Name, c.Name)
				}
			}
		}
	}
	if _, err := schema.Dictionary("xml", nil, nil); err == nil {
		t.Error("an unknown format is not refused")
	}
}

func TestDictionaryParses(t *testing.T) {
	asJSON, _ := schema.Dictionary("json", schema.Tables(), schema.Views())
	if !json.Valid(asJSON) {
		t.Error("the JSON dictionary is not JSON")
	}
	asYAML, _ := schema.Dictionary("dbt", schema.Tables(), schema.Views())
	var sources struct {
		Version int
		Sources []struct {
			Name   string
			Tables []struct{ Name string }
		}
	}
	if err := yaml.Unmarshal(asYAML, &sources); err != nil || sources.Version != 2 || len(sources.Sources[0].Tables) != len(schema.Tables()) {
		t.Errorf("dbt sources: %+v, %v", sources, err)
	}
	script, _ := schema.Dictionary("sql", schema.Tables(), schema.Views())
	if _, err := open(t).Exec(string(script)); err != nil {
		t.Errorf("the SQL dictionary does not run: %v", err)
	}
}

func TestQuotingDefeatsHostileNames(t *testing.T) {
	db := open(t)
	var got string
	hostile := `x'); drop table y; --"`
	if err := db.QueryRow("select " + schema.Literal(hostile) + " as " + schema.Ident(hostile)).Scan(&got); err != nil || got != hostile {
		t.Errorf("got %q, %v", got, err)
	}
}

func open(t *testing.T) *sql.DB {
	t.Helper()
	db, err := sql.Open("duckdb", "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func TestThePublishedDictionaryIsCurrent(t *testing.T) {
	for format, file := range map[string]string{"markdown": "docs/data-dictionary.md", "dbt": "deploy/dbt/models/sources.yml"} {
		published, err := os.ReadFile("../" + file)
		if err != nil {
			t.Fatal(err)
		}
		current, _ := schema.Dictionary(format, schema.Tables(), schema.Views())
		if diff := cmp.Diff(string(current), string(published)); diff != "" {
			t.Errorf("run 'flashback-sync schema --format %s > %s' (-current +published):\n%s", format, file, diff)
		}
	}
}

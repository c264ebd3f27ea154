package run_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"

	"github.com/flashback-sync/flashback-sync/schema"
)

// dataset is a file of deploy/superset/bundle/datasets.
type dataset struct {
	Table   string `yaml:"table_name"`
	Schema  string `yaml:"schema"`
	SQL     string `yaml:"sql"`
	Columns []struct {
		Name       string `yaml:"column_name"`
		Type       string `yaml:"type"`
		Expression string `yaml:"expression"`
	} `yaml:"columns"`
	Metrics []struct {
		Expression string `yaml:"expression"`
	} `yaml:"metrics"`
}

// test/superset runs on demand only: this test notices a view that has changed.
func TestDatasetsOfSupersetFitTheViews(t *testing.T) {
	w := synced(t, small(), alerts, violations, policyStats)
	paths, err := filepath.Glob("../../deploy/superset/bundle/datasets/*/*.yaml")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no datasets: %v", err)
	}
	for _, path := range paths {
		d := readDataset(t, path)
		from := d.Schema + "." + d.Table
		if d.SQL != "" {
			from = "(" + d.SQL + ")"
		}
		var columns, want []string
		for _, c := range d.Columns {
			expression := c.Expression
			if expression == "" {
				expression = schema.Ident(c.Name)
			}
			columns = append(columns, expression+" AS "+schema.Ident(c.Name))
			want = append(want, c.Name+" "+c.Type)
		}
		got := w.published("SELECT string_agg(column_name || ' ' || column_type, ', ') FROM (DESCRIBE SELECT " + strings.Join(columns, ", ") + " FROM " + from + ")")
		if got != strings.Join(want, ", ") {
			t.Errorf("%s has %s, want %s", path, got, strings.Join(want, ", "))
		}
		for _, metric := range d.Metrics {
			if value := w.published("SELECT " + metric.Expression + " FROM " + from); value == "<nil>" {
				t.Errorf("%s: %s is NULL", path, metric.Expression)
			}
		}
	}
}

func readDataset(t *testing.T, path string) dataset {
	t.Helper()
	var d dataset
	text, err := os.ReadFile(path)
	if err == nil {
		err = yaml.Unmarshal(text, &d)
	}
	if err != nil {
		t.Fatal(err)
	}
	return d
}

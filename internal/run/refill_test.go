package run_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/flashback-sync/flashback-sync/internal/apisim"
	"github.com/flashback-sync/flashback-sync/internal/streams"
	"github.com/flashback-sync/flashback-sync/load"
	"github.com/flashback-sync/flashback-sync/load/snapshot"
	"github.com/flashback-sync/flashback-sync/schema"
)

// formerly makes a database one of a release without these columns: their values are in
// extra, after a field that this release does not know either.
func formerly(t *testing.T, path string, table *schema.Table, columns ...string) {
	t.Helper()
	extra := `'{"shape":1.10'`
	var drops []string
	for _, name := range columns {
		c, _ := table.Column(name)
		value := schema.Ident(name) + "::VARCHAR"
		if c.Type == schema.Text {
			value = `'"' || ` + value + ` || '"'`
		}
		extra += fmt.Sprintf(` || coalesce(',"%s":' || %s, '')`, c.API, value)
		drops = append(drops, fmt.Sprintf("ALTER TABLE %s DROP COLUMN %s", table.Name, schema.Ident(name)))
	}
	fill := fmt.Sprintf("UPDATE %s SET extra = %s || '}'", table.Name, extra)
	tamper(t, path, append([]string{fill}, drops...)...)
}

func TestANewColumnIsFilledFromExtra(t *testing.T) {
	t.Parallel()
	w := newWorld(t, apisim.Options{Days: 5, AlertsPerDay: 5, ViolationsPerDay: 900})
	o := w.options()
	o.Stats = &streams.Stats{Stream: schema.StreamByName("policy_stats"), Bucket: "1h", Start: w.sim.Now().AddDate(0, 0, -5), Scopes: []streams.Scope{{Scope: "org"}}}
	w.mustSync(o)
	tables := map[*schema.Table][]string{
		schema.Violations(): {"severity", "block", "conversation_id"}, schema.PolicyStats(): {"blocks", "severity_high"},
	}
	want := map[*schema.Table]map[string]fields{}
	misfit := w.published("SELECT min(id) FROM violations")
	for table, columns := range tables {
		want[table] = w.warehouse(table)
		for key, row := range want[table] {
			row["extra"] = `{"shape":1.10}`
			if key == misfit {
				row["extra"] = `{"severity":5,"shape":1.10}`
				for _, name := range columns {
					delete(row, name)
				}
			}
		}
		formerly(t, load.File(w.dir), table, columns...)
	}
	tamper(t, load.File(w.dir),
		fmt.Sprintf(`UPDATE violations SET extra = '{"severity":5,"shape":1.10}' WHERE id = '%s'`, misfit),
		fmt.Sprintf("UPDATE internal.meta SET value = '%d' WHERE key = 'schema_version'", schema.Version-1))

	o.Lists, o.Stats = nil, nil // what is read again has no shape
	w.mustSync(o)
	for table := range tables {
		got := w.warehouse(table)
		differ(t, table.Name+" of the lake, against the DuckDB file", got, w.lake(table))
		for _, rows := range []map[string]fields{want[table], got} {
			for _, row := range rows {
				delete(row, "_run_id")
				delete(row, "_last_changed_at")
			}
		}
		differ(t, table.Name, want[table], got)
	}
	w.derivedAsComputedAnew()
	files := w.files()
	w.sim.Advance(time.Minute)
	if w.mustSync(o); files["flashback.duckdb"] != w.files()["flashback.duckdb"] {
		t.Error("the second run rewrote the file")
	}
	if left := w.private("SELECT count(*) FROM internal.meta WHERE key = 'refill'"); left != "0" {
		t.Errorf("%s tables are listed still", left)
	}
}

func TestARebuiltWarehouseIsFilledFromExtra(t *testing.T) {
	t.Parallel()
	w := newWorld(t, apisim.Options{Days: 5, ViolationsPerDay: 20})
	o := w.options(violations)
	w.mustSync(o)
	want := w.private("SELECT sum(hash(id, severity, block)) FROM violations")
	file := filepath.Join(w.dir, snapshot.Name)
	makeWritable(t, file)
	formerly(t, file, schema.Violations(), "severity", "block")
	if err := errors.Join(os.RemoveAll(filepath.Join(w.dir, "state")), os.RemoveAll(o.LakeDir())); err != nil {
		t.Fatal(err)
	}
	w.rebuild(o)
	if got := w.published("SELECT sum(hash(id, severity, block)) FROM violations"); got != want {
		t.Errorf("severity and block are not what they were: %s, want %s", got, want)
	}
}

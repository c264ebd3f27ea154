package erasure_test

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	_ "github.com/duckdb/duckdb-go/v2"
	"go.uber.org/goleak"

	"github.com/flashback-sync/flashback-sync/internal/erasure"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const name = `Zoë "Zed" O'Hara`

// search searches a folder for one text.
func search(t *testing.T, dir string, needle erasure.Needle) *erasure.Proof {
	t.Helper()
	needle.Label = "name 1"
	proof, err := erasure.Search(t.Context(), dir, []erasure.Needle{needle})
	if err != nil {
		t.Fatal(err)
	}
	return proof
}

// write writes a file below a folder.
func write(t *testing.T, dir, path, content string) {
	t.Helper()
	path = filepath.Join(dir, path)
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// execute runs SQL on a DuckDB file, or in memory. %s is the folder in it.
func execute(t *testing.T, dir, file, statements string) {
	t.Helper()
	if file != "" {
		file = filepath.Join(dir, file)
	}
	db, err := sql.Open("duckdb", file)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if _, err := db.Exec(strings.ReplaceAll(statements, "%s", dir)); err != nil {
		t.Fatal(err)
	}
}

// duck and parquet are what a case does to write such a file.
func duck(statements string) func(*testing.T, string) {
	return func(t *testing.T, dir string) { t.Helper(); execute(t, dir, "x.duckdb", statements) }
}

func parquet(query string) func(*testing.T, string) {
	return func(t *testing.T, dir string) {
		t.Helper()
		execute(t, dir, "", "COPY ("+query+") TO '%s/x.parquet' (COMPRESSION zstd)")
	}
}

func text(content string) func(*testing.T, string) {
	return func(t *testing.T, dir string) { t.Helper(); write(t, dir, "x.log", content) }
}

// quoted is the name in SQL.
var quoted = "'" + strings.ReplaceAll(name, "'", "''") + "'"

func TestASearchFindsWhatIsThere(t *testing.T) {
	t.Parallel()
	for title, c := range map[string]struct {
		make  func(*testing.T, string)
		of    erasure.Needle // the name if it is empty
		place string         // what Found says; "" if nothing is there
	}{
		"text":                       {make: text("a line\nby " + name + ", today"), place: "x.log: name 1, 1 time"},
		"text in another case":       {make: text("BY ZOË \"ZED\" O'HARA"), place: "x.log: name 1, 1 time"},
		"JSON":                       {make: text(`{"by":"Zoë \"Zed\" O'Hara"}`), place: "x.log: name 1, 1 time"},
		"JSON in ASCII":              {make: text(`{"by":"Zo\u00eb \"Zed\" O'Hara"}`), place: "x.log: name 1, 1 time"},
		"JSON in ASCII, an emoji":    {make: text(`{"by":"Zed \ud83d\ude00 \"Z\""}`), of: erasure.Needle{Text: `Zed 😀 "Z"`}, place: "x.log: name 1, 1 time"},
		"a part of a longer word":    {make: text("xanna annax"), of: erasure.Needle{Text: "anna"}},
		"beside a longer word":       {make: text("xanna anna"), of: erasure.Needle{Text: "anna"}, place: "x.log: name 1, 1 time"},
		"across chunks":              {make: text(strings.Repeat(".", 1<<20-4) + " needle-of-a-text " + strings.Repeat(".", 1<<20)), of: erasure.Needle{Text: "needle-of-a-text"}, place: "x.log: name 1, 1 time"},
		"twice at the end of chunks": {make: text(strings.Repeat("-", 1<<20) + "needle needle"), of: erasure.Needle{Text: "needle"}, place: "x.log: name 1, 2 times"},
		"binary":                     {make: text("\x00\x01annabella\x00"), of: erasure.Needle{Text: "annabel"}, place: "x.log: name 1, 1 time"},
		"too short for binary":       {make: text("\x00\x01anna\x00"), of: erasure.Needle{Text: "anna"}},
		"the name of a file": {
			make: func(t *testing.T, dir string) { t.Helper(); write(t, dir, "of anna/x", "") }, of: erasure.Needle{Text: "anna"},
			place: "(a name that has it): name 1, in the name of a file, 1 time",
		},
		"a compressed table": {
			make:  duck(`CREATE TABLE t AS SELECT 'by ' || ` + quoted + ` || ' of ' || (i % 7) AS message, i FROM range(20000) r(i); CHECKPOINT`),
			place: "x.duckdb, table t, column message: name 1, 20,000 times",
		},
		"a nested value": {
			make:  duck(`CREATE TABLE t AS SELECT {'a': [` + quoted + `, 'x']} AS nested, 1 AS n FROM range(3000)`),
			place: "x.duckdb, table t, column nested: name 1, 3,000 times",
		},
		"a table of another schema": {
			make:  duck(`CREATE SCHEMA internal; CREATE TABLE internal.meta AS SELECT 'tombstone' AS key, ` + quoted + ` AS value UNION ALL SELECT 'other', ` + quoted),
			place: "x.duckdb, table internal.meta, column value: name 1, 1 time",
		},
		"the same value":       {make: duck(`CREATE TABLE t AS SELECT 'ab' AS hash, 'ab' AS other`), of: erasure.Needle{Text: "ab", Exact: true}, place: "x.duckdb, table t, column hash: name 1, 1 time"},
		"the same, one column": {make: duck(`CREATE TABLE t AS SELECT 'ab' AS hash, 'ab' AS other`), of: erasure.Needle{Text: "ab", Exact: true, Column: "other"}, place: "x.duckdb, table t, column other: name 1, 1 time"},
		"not the same value":   {make: duck(`CREATE TABLE t AS SELECT 'abc' AS hash, 'cab ab' AS other`), of: erasure.Needle{Text: "ab", Exact: true}},
		"a compressed Parquet file": {
			make: parquet(`SELECT ` + quoted + ` || (i % 3) || ' ' AS v, ` + quoted + ` AS w FROM range(5000) r(i)`), place: "x.parquet, column w: name 1, 5,000 times",
		},
		"escaped in a column": {make: parquet(`SELECT '{"by":"\u0061nnabella"}' AS v`), of: erasure.Needle{Text: "annabella"}, place: "x.parquet, column v: name 1, 1 time"},
		"freed blocks": {
			make: duck(`PRAGMA force_compression='uncompressed'; CREATE TABLE t AS SELECT 'annabella' || i AS v FROM range(200000) r(i); CHECKPOINT;
				CREATE TABLE kept AS SELECT i FROM range(1000) r(i); CHECKPOINT; DROP TABLE t; CHECKPOINT`),
			of: erasure.Needle{Text: "annabella"}, place: "x.duckdb: name 1, ",
		},
		"a log": {
			make: func(t *testing.T, dir string) {
				t.Helper()
				execute(t, dir, "x.duckdb", `PRAGMA disable_checkpoint_on_shutdown; CREATE TABLE t AS SELECT 'annabella' AS v`)
				if _, err := os.Stat(filepath.Join(dir, "x.duckdb.wal")); err != nil {
					t.Fatal(err)
				}
			},
			of: erasure.Needle{Text: "annabella"}, place: "x.duckdb.wal: name 1, 1 time",
		},
		"nothing": {make: duck(`CREATE TABLE t AS SELECT 'somebody' AS v`)},
	} {
		t.Run(title, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			c.make(t, dir)
			if c.of.Text == "" {
				c.of.Text = name
			}
			proof := search(t, dir, c.of)
			found := false
			for _, place := range proof.Found {
				found = found || strings.HasPrefix(place.String(), c.place)
			}
			if found != (c.place != "") || proof.Clean() != (c.place == "") || len(proof.Unread) > 0 {
				t.Errorf("found %v, unread %v; want %q", proof.Found, proof.Unread, c.place)
			}
		})
	}
}

// A file that cannot be searched as a whole is no proof, though nothing was found.
func TestAFileThatCannotBeSearchedIsNoProof(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, "lake/x.parquet", "PAR1 and nothing else")
	write(t, dir, "x.duckdb", "12345678DUCK and nothing else")
	write(t, dir, "kept", "nothing")
	proof := search(t, dir, erasure.Needle{Text: "annabella"})
	if proof.Clean() || len(proof.Unread) != 2 || len(proof.Found) > 0 || proof.Verdict() != "nothing was found, and 2 files could not be searched" {
		t.Errorf("%s: %+v", proof.Verdict(), proof)
	}
}

func TestALinkIsNotFollowed(t *testing.T) {
	t.Parallel()
	dir, outside := t.TempDir(), t.TempDir()
	write(t, outside, "x", "annabella")
	if err := os.Symlink(outside, filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	proof := search(t, dir, erasure.Needle{Text: "annabella"})
	if !proof.Clean() || proof.Files != 0 || fmt.Sprint(proof.Notes) != "[links are not followed]" {
		t.Errorf("%+v", proof)
	}
}

func TestWhatASearchReadIsCounted(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, "x", "twelve bytes")
	execute(t, dir, "", `COPY (SELECT 1 AS n, 'a' AS v, CASE WHEN i > 2 THEN 'b' END AS w FROM range(5) r(i)) TO '%s/x.parquet'`)
	info, err := os.Stat(filepath.Join(dir, "x.parquet"))
	if err != nil {
		t.Fatal(err)
	}
	proof := search(t, dir, erasure.Needle{Text: "annabella"})
	if got, want := fmt.Sprint(proof.Files, proof.Bytes, proof.Tables, proof.Columns, proof.Values), fmt.Sprint(2, info.Size()+12, 1, 2, 7); got != want {
		t.Errorf("files, bytes, tables, columns, values: %s, want %s", got, want)
	}
}

"""What analysts open: the DuckDB file, the Parquet lake and its manifest."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

import rows
from compare import exact
from story import COUNT, NEW, StoryScenario
from tool import COLUMNS, FLAGS, LISTS, NUMBERS, TIMES, TOKEN, Tool, sha256

# The dbt project that users start from.
PROJECT = Path(__file__).resolve().parents[2] / "deploy" / "dbt"

# The column that the table has, and in the lake the folder.
PARTITIONS = {"alerts": ("date", "DATE"), "violations": ("date", "DATE"), "policy_stats": ("month", "VARCHAR")}

# Reads every value of the tables, and prints how many rows each has.
COUNTS = """
import duckdb, sys
file = duckdb.connect(sys.argv[1], read_only=True)
print([file.execute(f"SELECT count(*), count(hash(t)) FROM {table} t").fetchone() for table in sys.argv[2:]])
"""

# The marts are read with dbt's own DuckDB, which may be newer.
MARTS = """
import duckdb, sys
print(duckdb.connect(sys.argv[1], read_only=True).execute(\"\"\"
    SELECT (SELECT sum(violations) FROM violations_weekly), (SELECT sum(blocked) FROM violations_weekly),
        (SELECT count(*) > 0 AND bool_and(tokens_in >= 0) FROM policy_tokens_daily)\"\"\").fetchone())
"""


class Files(StoryScenario):
    def test_the_parquet_lake_holds_the_same_rows(self):
        for stream in (*LISTS, "policy_stats"):
            with self.subTest(stream):
                self.assertEqual(by_content(self.story.fourth.tables[stream]), by_content(self.story.tool.lake_table(stream)))

    def test_duckdb_columns_have_the_documented_names_and_types(self):
        for table, columns in COLUMNS.items():
            with self.subTest(table):
                types = {name: kind for name, kind, *_ in self.story.tool.query(f"DESCRIBE {table}")}
                unit, kind = PARTITIONS[table]
                self.assertEqual(kind, types.pop(unit))
                self.assertEqual(columns, list(types))
                for column, kind in types.items():
                    self.assertIn(kind, duckdb_types(table, column), column)

    def test_every_table_and_column_has_a_comment(self):
        without = self.story.tool.query("SELECT table_name FROM duckdb_tables() WHERE coalesce(comment, '') = ''")
        without += self.story.tool.query("""SELECT table_name || '.' || column_name FROM duckdb_columns()
            WHERE NOT internal AND coalesce(comment, '') = ''""")
        self.assertEqual([], without)
        tables = {name for name, in self.story.tool.query("SELECT table_name FROM duckdb_tables()")}
        self.assertLessEqual({*COLUMNS, "policy_stats_summary", "sync_runs", "sync_coverage", "rejected_records"}, tables)

    def test_parquet_columns_have_the_same_names_and_their_types(self):
        for table, columns in COLUMNS.items():
            for path in self.story.tool.parquet_files(table):
                schema = pq.read_schema(path)
                self.assertEqual(columns, schema.names, path)
                for field in schema:
                    self.assertIn(field.type, arrow_types(table, field.name), f"{path}: {field.name}")

    def test_the_manifest_carries_the_comments(self):
        manifest = json.loads((self.story.tool.lake / "manifest.json").read_text())
        described = {table["name"]: {c["name"]: c["comment"] for c in table["columns"]} for table in manifest["tables"]}
        for table in COLUMNS:
            comments = dict(self.story.tool.query("SELECT column_name, comment FROM duckdb_columns() WHERE table_name = ?", table))
            for field in pq.read_schema(self.story.tool.parquet_files(table)[0]):
                self.assertEqual(comments[field.name], described[table][field.name], f"{table}.{field.name}")

    def test_parquet_files_are_partitioned_sorted_compressed_and_have_statistics(self):
        for table in COLUMNS:
            time, unit = ("bucket_start", "month") if table == "policy_stats" else ("timestamp", "date")
            self.assertTrue(self.story.tool.parquet_files(table))
            for path in self.story.tool.parquet_files(table):
                file = pq.ParquetFile(path)
                instants = file.read([time]).column(time).cast("int64").to_pylist()
                self.assertEqual(sorted(instants), instants, path)
                length = {"date": 10, "month": 7}[unit]
                self.assertEqual({path.parent.name}, {f"{unit}={rows.iso(at)[:length]}" for at in instants})
                self.assertEqual(f"{table}.parquet", path.name)
                group = file.metadata.row_group(0)
                self.assertEqual({"ZSTD"}, {group.column(n).compression for n in range(group.num_columns)})
                statistics = group.column(file.schema_arrow.get_field_index(time)).statistics
                self.assertTrue(statistics is not None and statistics.has_min_max, path)

    def test_the_manifest_agrees_with_the_files(self):
        manifest = json.loads((self.story.tool.lake / "manifest.json").read_text())
        listed = {}
        for entry in manifest["files"]:
            inside = self.story.tool.lake / entry["path"]
            listed[inside if inside.exists() else self.story.tool.data / entry["path"]] = entry
        self.assertEqual(self.story.tool.parquet_files(), sorted(p for p in listed if p.suffix == ".parquet"))
        for path, entry in listed.items():
            self.assertEqual(path.stat().st_size, entry["bytes"], path)
            self.assertEqual(sha256(path), entry["sha256"], path)
            if path.suffix == ".parquet":
                self.assertEqual(pq.ParquetFile(path).metadata.num_rows, entry["rows"], path)
        self.assertTrue([name for name in manifest if "coverage" in name], "the coverage ledger")

    def test_a_reader_that_holds_the_old_file_keeps_reading_it(self):
        self.assertIn(str(COUNT), self.story.held_before)
        self.assertEqual(self.story.held_before, self.story.held_after)
        self.assertIn(str(COUNT + NEW["alerts"]), self.story.opened_anew)

    def test_a_reader_that_opens_the_file_during_a_sync_never_fails(self):
        code, seen = self.story.polled
        self.assertEqual(0, code, seen)
        opened, pairs = seen.split(" ", 1)
        self.assertGreater(int(opened), 0)
        whole = {(COUNT, COUNT), (COUNT + NEW["alerts"], COUNT + NEW["violations"])}
        self.assertLessEqual(set(map(tuple, json.loads(pairs.replace("(", "[").replace(")", "]")))), whole)

    def test_node_reads_the_same(self):
        folder = os.environ.get("ACCEPTANCE_NODE")
        if not folder:
            self.skipTest("DuckDB's Node package is not installed")
        done = subprocess.run(["node", "check.mjs", str(self.story.tool.database)], cwd=folder, capture_output=True, text=True, timeout=60)
        self.assertEqual(0, done.returncode, done.stderr)
        seen = json.loads(done.stdout)
        self.assertEqual({name: len(stored) for name, stored in self.story.fourth.tables.items()}, seen["counts"])
        for table, columns in COLUMNS.items():
            self.assertEqual([*columns, PARTITIONS[table][0]], list(seen["types"][table]))
            for column in TIMES & set(columns):
                self.assertEqual("TIMESTAMP WITH TIME ZONE", seen["types"][table][column])
        self.assertEqual(rows.iso(max(r["timestamp"] for r in self.story.fourth.tables["alerts"])), seen["newest"])
        self.assertEqual("👩‍👩‍👧‍👦 🇨🇭 𝒳", seen["emoji"])

    def test_other_releases_of_duckdb_open_the_file(self):
        folders = [f for f in os.environ.get("ACCEPTANCE_DUCKDBS", "").split(os.pathsep) if f]
        if not folders:
            self.skipTest("no other release of DuckDB is installed")
        tables = self.story.fourth.tables
        want = str([(len(stored), len(stored)) for stored in tables.values()])
        for folder in folders:
            done = subprocess.run([sys.executable, "-c", COUNTS, str(self.story.tool.database), *tables], capture_output=True, text=True,
                                  env=os.environ | {"PYTHONPATH": folder}, timeout=60)
            self.assertEqual(want, done.stdout.strip(), f"{folder}: {done.stderr[-500:]}")

    def test_the_dbt_project_builds_and_its_tests_pass(self):
        dbt = os.environ.get("ACCEPTANCE_DBT")
        if not dbt:
            self.skipTest("dbt-duckdb is not installed")
        with tempfile.TemporaryDirectory() as folder:
            project, marts = Path(folder) / "dbt", Path(folder) / "marts.duckdb"
            shutil.copytree(PROJECT, project)
            self.assertEqual((project / "models" / "sources.yml").read_text(), self.story.tool.run("schema", "--format", "dbt").out)
            env = os.environ | {"FLASHBACK_DUCKDB": str(self.story.tool.database), "FLASHBACK_MARTS": str(marts)}
            for command in (["build"], ["source", "freshness"]):
                done = subprocess.run([dbt, *command, "--project-dir", str(project), "--profiles-dir", str(project)],
                                      capture_output=True, text=True, timeout=180, cwd=project, env=env)
                self.assertEqual(0, done.returncode, done.stdout[-3000:])
                self.assertRegex(done.stdout, r"[1-9]\d* of [1-9]\d* PASS")
            built = subprocess.run([Path(dbt).parent / "python", "-c", MARTS, str(marts)], capture_output=True, text=True, timeout=60)
        violations = self.story.fourth.tables["violations"]
        self.assertEqual(f"({len(violations)}, {sum(bool(row['block']) for row in violations)}, True)", built.stdout.strip(), built.stderr)

    def test_nothing_is_left_beside_the_published_files(self):
        self.assertLessEqual({p.name for p in self.story.tool.data.iterdir()}, {"flashback.duckdb", "lake", "state"})
        strays = [p for p in self.story.tool.lake.rglob("*") if p.is_file() and p.suffix != ".parquet" and p.name not in ("manifest.json", "README.md")]
        self.assertEqual([], strays)

    def test_files_are_closed_to_strangers(self):
        open_ = [f"{p}: {oct(p.stat().st_mode)}" for p in self.story.tool.data.rglob("*") if p.stat().st_mode & 0o027]
        self.assertEqual([], open_)

    def test_the_token_is_nowhere(self):
        for run in Tool.runs:
            self.assertNotIn(TOKEN, run.out + run.err)
        holding = [p for p in self.story.tool.folder.rglob("*") if p.is_file() and TOKEN.encode() in p.read_bytes()]
        self.assertEqual([], holding)

    def test_query_reads_the_published_file(self):
        run = self.story.tool.run("query", "SELECT count(*) AS n FROM violations")
        self.assert_run(run)
        self.assertIn(str(COUNT + NEW["violations"]), run.out)


def by_content(stored):
    """Rows in an order of their own, with `extra` read."""
    return sorted((json.dumps(r | {"extra": exact(r["extra"] or "{}")}, sort_keys=True) for r in stored))


def duckdb_types(table, column):
    if column in TIMES:
        return {"TIMESTAMP WITH TIME ZONE"}
    if column in FLAGS:
        return {"BOOLEAN"}
    if table == "policy_stats" and column in NUMBERS:
        return {"BIGINT"}
    return {"JSON", "VARCHAR"} if column == "extra" else {"VARCHAR"}


def arrow_types(table, column):
    if column in TIMES:
        return [pa.timestamp("us", tz="UTC")]
    if column in FLAGS:
        return [pa.bool_()]
    if table == "policy_stats" and column in NUMBERS:
        return [pa.int64()]
    texts = [pa.string(), pa.large_string(), pa.dictionary(pa.int32(), pa.string())]
    return texts + [pa.json_()] if column == "extra" and hasattr(pa, "json_") else texts

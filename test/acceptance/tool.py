"""Runs the program under test and reads what it leaves behind, as an analyst would."""

import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow.parquet as pq

TOKEN = "canary-token-8c1f0e77"
LISTS = ("alerts", "violations")

# The tables as they are documented: every column, in order, with its DuckDB type.
_COMMON = ["conversation_id", "repo_id", "repo_name", "user_id", "user_name", "repo_ai_api_key_id", "repo_ai_api_key_name"]
_MODEL = ["llm_type", "llm_model", "host"]
_SYNCED = ["_first_synced_at", "_last_changed_at", "_run_id"]
COLUMNS = {
    "alerts": ["id", "policy_id", "policy_name", "timestamp", "message", *_COMMON, *_MODEL, "extra", *_SYNCED],
    "violations": ["id", "policy_id", "policy_name", "timestamp", "explanation", *_COMMON, *_MODEL, "severity", "block", "extra", *_SYNCED],
    "policy_stats": ["scope", "scope_id", "rule_id", "api_key_id", "bucket_size", "bucket_start", "violations", "alerts", "blocks",
                     "severity_low", "severity_medium", "severity_high", "policy_tokens_in", "policy_tokens_out", "closed", "extra",
                     "_last_changed_at", "_run_id"],
}
TIMES = {"timestamp", "bucket_start", "_first_synced_at", "_last_changed_at"}
NUMBERS = {"violations", "alerts", "blocks", "severity_low", "severity_medium", "severity_high", "policy_tokens_in", "policy_tokens_out"}
FLAGS = {"block", "closed"}


@dataclass
class Run:
    """One finished run of the program."""

    args: tuple
    code: int
    out: str
    err: str

    @property
    def summary(self):
        """The last line of standard output, which --json promises to be the run's summary."""
        lines = self.out.strip().splitlines()
        return json.loads(lines[-1]) if lines else {}

    def __str__(self):
        tail = "\n".join((self.out.splitlines() + self.err.splitlines())[-25:])
        return f"{' '.join(self.args)} ended with {self.code}\n{textwrap.indent(tail[-4000:], '    ')}"


class Tool:
    """The program with one configuration and one data folder."""

    binary = None  # set by run.py
    runs = []  # every run of every Tool: no secret may show in any of them

    def __init__(self, folder, url, streams, **api):
        self.folder = Path(folder)
        self.data = self.folder / "data"
        self.config = self.folder / "flashback-sync.yaml"
        self.env = {k: v for k, v in os.environ.items() if not k.startswith("FLASHBACK")} | {"FLASHBACK_TOKEN": TOKEN}
        self.configure(url, streams, **api)

    def configure(self, url, streams, **api):
        self.config.write_text(yaml({
            "api": {"base_url": url, "token_env": "FLASHBACK_TOKEN", **api},
            "data_dir": str(self.data),
            "streams": streams,
        }))

    def command(self, *args):
        return [str(self.binary), *args, "--config", str(self.config)]

    def start(self, *args):
        return subprocess.Popen(self.command(*args), stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
                                env=self.env, cwd=self.folder, text=True)

    def finish(self, process, *args, timeout=180):
        try:
            out, err = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGQUIT)  # Go prints where it hangs
            out, err = process.communicate()
            err += f"\nstill running after {timeout} s"
        run = Run(args, process.returncode, out, err)
        Tool.runs.append(run)
        if args[0] in ("sync", "repair") and "--json" in args:
            check_conservation(run)
        return run

    def run(self, *args, timeout=180):
        return self.finish(self.start(*args), *args, timeout=timeout)

    def sync(self, *args, **kwargs):
        return self.run("sync", "--json", *args, **kwargs)

    # --- what it left behind ----------------------------------------------

    @property
    def database(self):
        return self.data / "flashback.duckdb"

    @property
    def lake(self):
        return self.data / "lake"

    def query(self, sql, *args):
        with duckdb.connect(self.database, read_only=True) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            return connection.execute(sql, args).fetchall()

    def table(self, name):
        """All rows as dicts; instants are microseconds since 1970."""
        columns = COLUMNS[name]
        chosen = ", ".join(f'epoch_us("{c}")' if c in TIMES else f'"{c}"' for c in columns)
        return [dict(zip(columns, row)) for row in self.query(f"SELECT {chosen} FROM {name}")]

    def parquet_files(self, name=""):
        return sorted(self.lake.glob(f"{name or '*'}/*/*.parquet"))

    def lake_table(self, name):
        """The same rows as table(), from the Parquet files."""
        rows = []
        for path in self.parquet_files(name):
            table = pq.ParquetFile(path).read()
            columns = {}
            for field in table.schema:
                column = table.column(field.name)
                if field.name in TIMES:
                    column = column.cast("int64")
                columns[field.name] = column.to_pylist()
            rows += [dict(zip(columns, values)) for values in zip(*columns.values())]
        return rows

    def published(self):
        """Every file that a reader may open -> what identifies this very version of it."""
        paths = [self.database, *(p for p in self.lake.rglob("*") if p.is_file())]
        return {str(p.relative_to(self.data)): (p.stat().st_mtime_ns, p.stat().st_ino, sha256(p)) for p in paths if p.exists()}


def check_conservation(run):
    """Every row that a stream received is accounted for, in every summary that the program prints."""
    try:
        summary = run.summary
    except ValueError:
        return  # killed, or it failed before it had anything to sum up
    for name, stream in ((summary.get("run") or summary).get("streams") or {}).items():
        parts = [stream[f"rows_{word}"] for word in ("inserted", "updated", "unchanged", "duplicate", "rejected")]
        parts.append(stream.get("rows_withheld", 0))
        if stream["rows_received"] != sum(parts):
            raise AssertionError(f"{name}: {stream['rows_received']} rows received, but {parts} accounted for: {run}")


def yaml(value, indent=""):
    """Nested dicts as block YAML; instants and durations go unquoted, as a person writes them."""
    lines = []
    for key, item in value.items():
        if isinstance(item, dict) and item:
            lines.append(f"{indent}{key}:\n{yaml(item, indent + '  ')}")
        else:
            bare = isinstance(item, str) and re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:]+Z|\d+[hms]", item)
            lines.append(f"{indent}{key}: {item if bare else json.dumps(item, ensure_ascii=False)}\n")
    return "".join(lines)


def sha256(path):
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


class Reader:
    """Another process that opens the analysts' file and keeps it open."""

    SCRIPT = """
import duckdb, sys
connection = duckdb.connect(sys.argv[1], read_only=True)
for _ in sys.stdin:
    print(connection.execute("SELECT count(*), count(DISTINCT id), sum(length(message)) FROM alerts").fetchone(), flush=True)
"""

    def __init__(self, database):
        self.process = subprocess.Popen([sys.executable, "-c", self.SCRIPT, str(database)], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def read(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def close(self):
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()


class Poller:
    """Another process that opens the analysts' file again and again, and counts."""

    SCRIPT = """
import duckdb, select, sys
path, seen, opened = sys.argv[1], set(), 0
print("ready", flush=True)
while not select.select([sys.stdin], [], [], 0.01)[0]:
    with duckdb.connect(path, read_only=True) as connection:
        seen.add(connection.execute("SELECT (SELECT count(*) FROM alerts), (SELECT count(*) FROM violations)").fetchone())
    opened += 1
print(opened, sorted(seen))
"""

    def __init__(self, database):
        self.process = subprocess.Popen([sys.executable, "-c", self.SCRIPT, str(database)], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.process.stdout.readline()

    def finish(self):
        """(exit code, what it saw or why it failed)"""
        out, err = self.process.communicate("\n", timeout=30)
        return self.process.returncode, out.strip() or err
